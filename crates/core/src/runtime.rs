//! The tokio runtime around a call: that there is one, and its threads for work that blocks.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::error::Error;

/// How long runtimes of ours keep a thread for files that has nothing to do: the one that is there before money is spent is
/// there when the picture comes, minutes later, on a machine that gives no other.
pub const FILE_THREAD_KEEP_ALIVE: Duration = Duration::from_secs(60 * 60);

/// Fails without a runtime: tasks, timers and sockets need one, and tokio would panic.
pub(crate) fn require_runtime() -> Result<(), Error> {
    match Handle::try_current() {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::config("a call needs a tokio runtime around it; use `blocking::Client` without one")),
    }
}

/// Work in a place from which it can be taken back.
struct Shared<F>(Arc<Mutex<Option<F>>>);

impl<F> Shared<F> {
    fn take(&self) -> Option<F> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Runs file work where it may block. Where no thread can be started, it runs here: a slow runtime is better than a lost
/// picture.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let Ok(runtime) = Handle::try_current() else { return Ok(work()) };
    let shared = Shared(Arc::new(Mutex::new(Some(work))));
    let failed = match spawn(&runtime, &shared) {
        Some(task) => match task.await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => io::Error::other("the work was taken back"),
            Err(error) => io::Error::other(error),
        },
        None => io::Error::other("no thread can be started"),
    };
    // A runtime that ends, or has no thread, has not begun it.
    shared.take().map(|work| work()).ok_or(failed)
}

/// Lets work run beside the runtime, if there is a thread for it. Else it is dropped.
pub(crate) fn blocking_if_possible(runtime: &Handle, work: impl FnOnce() + Send + 'static) {
    let shared = Shared(Arc::new(Mutex::new(Some(work))));
    if spawn(runtime, &shared).is_none() {
        drop(shared.take());
    }
}

/// `None`: no thread can be started, which tokio says by a panic; the work is where it was.
fn spawn<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
    runtime: &Handle,
    shared: &Shared<F>,
) -> Option<JoinHandle<Option<T>>> {
    let theirs = Shared(shared.0.clone());
    let start = AssertUnwindSafe(|| runtime.spawn_blocking(move || theirs.take().map(|work| work())));
    catch_unwind(start).ok()
}
