//! What runs behind Python's back: one thread for all network and files, one that speaks to the interpreter.
//!
//! A process has one of each. A forked child starts its own, and leaves alone what it inherited: the threads are not
//! there any more, and their locks may be held for ever.

use std::future::{Future, pending};
use std::mem;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::notify::{Message, Notifier, deliver};

/// How long the interpreter's end waits for a thread of ours that is just using it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The threads of one process, which live as long as it does.
pub(crate) struct Background {
    process: u32,
    runtime: Handle,
    pub(crate) notifier: Notifier,
}

/// Only locked while attached to the interpreter, and never for long; so a fork, which is made by a thread that is
/// attached, finds it unlocked.
static BACKGROUND: Mutex<Option<&'static Background>> = Mutex::new(None);

/// This process's threads, started if need be.
pub(crate) fn background(py: Python<'_>) -> PyResult<&'static Background> {
    let mut current = BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    match *current {
        Some(background) if background.process == process::id() => Ok(background),
        _ => {
            let started = Background::start()
                .map_err(|error| PyRuntimeError::new_err(format!("gptimage cannot start its threads: {error}")))?;
            let background = *current.insert(Box::leak(Box::new(started)));
            drop(current);
            let shutdown = py.import("gptimage._core")?.getattr("shutdown")?;
            py.import("atexit")?.call_method1("register", (shutdown,))?;
            Ok(background)
        }
    }
}

impl Background {
    fn start() -> std::io::Result<Self> {
        let notifier = Notifier::start()?;
        let for_threads = notifier.clone();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_name("gptimage-files")
            .on_thread_start(move || crate::log::send_to(for_threads.clone()))
            .build()?;
        let handle = runtime.handle().clone();
        let for_thread = notifier.clone();
        thread::Builder::new().name("gptimage".to_owned()).spawn(move || {
            crate::log::send_to(for_thread);
            runtime.block_on(pending::<()>());
        })?;
        Ok(Self { process: process::id(), runtime: handle, notifier })
    }

    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn(work)
    }
}

/// See the function of the same name in `_core`.
pub(crate) fn shutdown(py: Python<'_>) {
    let current = *BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(background) = current.filter(|background| background.process == process::id()) else { return };
    let deadline = Instant::now() + PATIENCE;
    let unsaid = background.notifier.close();
    py.detach(|| {
        while background.notifier.is_speaking() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    });
    // The last words of calls that have ended; event loops are not waiting for theirs any more.
    unsaid.into_iter().filter(|message| matches!(message, Message::Log(_))).for_each(|message| deliver(py, message));
}

/// Something that may only be used, and dropped, in the process that made it.
pub(crate) struct Own<T> {
    process: u32,
    value: Option<T>,
}

impl<T> Own<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { process: process::id(), value: Some(value) }
    }

    /// `None` in a forked child.
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| self.process == process::id())
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        if self.process != process::id() {
            mem::forget(self.value.take());
        }
    }
}
