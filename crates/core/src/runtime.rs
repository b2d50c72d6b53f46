//! The tokio runtime around a call: checks that there is one, and runs blocking work on its threads.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::error::Error;

/// How long our runtimes keep an idle thread for file work. Long enough that the thread that was started before money
/// is spent still exists when the image arrives minutes later, on a machine that may not be able to start another.
pub const FILE_THREAD_KEEP_ALIVE: Duration = Duration::from_secs(60 * 60);

/// Returns an error outside a tokio runtime. Tasks, timers and sockets need one, and tokio would panic.
pub(crate) fn require_runtime() -> Result<(), Error> {
    match Handle::try_current() {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::config("a call needs a tokio runtime around it; use `blocking::Client` without one")),
    }
}

/// Holds work so that it can be taken back before it was started.
struct Shared<F>(Arc<Mutex<Option<F>>>);

impl<F> Shared<F> {
    fn take(&self) -> Option<F> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Runs file work on a thread for blocking work. If no thread can be started, it runs on the calling one: a slow
/// runtime is better than a lost image.
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
    // If the runtime ended or had no thread, the work was not started and is still here.
    shared.take().map(|work| work()).ok_or(failed)
}

/// Runs work on a thread for blocking work, or drops it if no thread can be started.
pub(crate) fn blocking_if_possible(runtime: &Handle, work: impl FnOnce() + Send + 'static) {
    let shared = Shared(Arc::new(Mutex::new(Some(work))));
    if spawn(runtime, &shared).is_none() {
        drop(shared.take());
    }
}

/// Starts the work on a thread. `None` if no thread can be started, which tokio reports by panicking; the work is then
/// still in `shared`.
fn spawn<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
    runtime: &Handle,
    shared: &Shared<F>,
) -> Option<JoinHandle<Option<T>>> {
    let theirs = Shared(shared.0.clone());
    let start = AssertUnwindSafe(|| runtime.spawn_blocking(move || theirs.take().map(|work| work())));
    catch_unwind(start).ok()
}
