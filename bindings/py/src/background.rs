//! What runs behind Python's back: one thread for network and files, one that speaks to the interpreter.
//!
//! A process has one of each. A forked child starts its own, and leaves alone what it inherited.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use gptimage_binding::Background as Threads;
use gptimage_core::Watch;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::time::Instant;

use crate::log::Entry;
use crate::notify::{Message, Notifier, deliver};

/// How long the interpreter's end waits for a thread of ours that is just using it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The threads of one process, which live as long as it does.
pub(crate) struct Background {
    process: u32,
    pub(crate) threads: Threads,
    pub(crate) notifier: Notifier,
    /// Whose calls may be on their way, and how long the end waits for them. Only locked while attached.
    watches: Mutex<Vec<(Watch, Duration)>>,
}

/// Only locked while attached to the interpreter, and never for long; so a fork, which is made by a thread that is
/// attached, finds it unlocked.
static BACKGROUND: Mutex<Option<&'static Background>> = Mutex::new(None);

/// Whether the interpreter is ending: what begins now must not touch it from elsewhere.
static OVER: AtomicBool = AtomicBool::new(false);

/// This process's threads, started if need be.
pub(crate) fn background(_attached: Python<'_>) -> PyResult<&'static Background> {
    let mut current = BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    match *current {
        Some(background) if background.process == process::id() => Ok(background),
        _ => {
            let started = Background::start()
                .map_err(|error| PyRuntimeError::new_err(format!("gptimage cannot start its threads: {error}")))?;
            if OVER.load(Ordering::Relaxed) {
                started.notifier.close();
            }
            Ok(*current.insert(Box::leak(Box::new(started))))
        }
    }
}

impl Background {
    fn start() -> std::io::Result<Self> {
        let notifier = Notifier::start()?;
        let for_threads = notifier.clone();
        let threads = Threads::start(move || crate::log::send_to(for_threads.clone()))?;
        Ok(Self { process: process::id(), threads, notifier, watches: Mutex::default() })
    }
}

impl Background {
    /// Remembers a client whose calls may be on their way at the end.
    pub(crate) fn watch(&self, watch: Watch, exit_wait: Duration) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        // Clients that share what they keep are one: the most patient of them counts.
        let patience =
            watches.iter().find(|(known, _)| known.is_same(&watch)).map_or(exit_wait, |(_, wait)| exit_wait.max(*wait));
        watches.retain(|(known, _)| !known.is_over() && !known.is_same(&watch));
        watches.push((watch, patience));
    }

    fn watches(&self) -> Vec<(Watch, Duration)> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs something that touches files, on a thread where it may, and waits for it.
    pub(crate) fn with_files<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> PyResult<T> {
        let (done, result) = mpsc::sync_channel(1);
        drop(self.threads.spawn_blocking(move || {
            // Whoever waits is there until it is told.
            let _ = done.send(work());
        }));
        py.detach(move || result.recv())
            .map_err(|_| PyRuntimeError::new_err("a bug in gptimage: a thread of its ended early"))
    }

    /// Waits, as long as was asked for, until no call runs on without its caller.
    fn drain(&self, py: Python<'_>) {
        for (watch, patience) in self.watches() {
            if !patience.is_zero() && !watch.is_over() {
                let (done, over) = mpsc::sync_channel(1);
                drop(self.threads.spawn(async move {
                    // Too late is no error: what is left is told.
                    let _ = tokio::time::timeout(patience, watch.drain()).await;
                    let _ = done.send(());
                }));
                // A thread that is gone has nothing more to wait for.
                let _ = py.detach(move || over.recv());
            }
        }
    }
}

/// See the function of the same name in `_core`.
pub(crate) fn shutdown(py: Python<'_>) {
    OVER.store(true, Ordering::Relaxed);
    let current = *BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(background) = current.filter(|background| background.process == process::id()) else { return };
    background.drain(py);
    let deadline = Instant::now() + PATIENCE;
    let unsaid = background.notifier.close();
    py.detach(|| {
        while background.notifier.is_speaking() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    });
    // The last words of calls that have ended; event loops are not waiting for theirs any more.
    unsaid.into_iter().filter(|message| matches!(message, Message::Log(_))).for_each(|message| deliver(py, message));
    let watches = background.watches();
    let running: Vec<_> = watches.iter().flat_map(|(watch, _)| watch.running()).collect();
    if !running.is_empty() {
        deliver(py, Message::Log(Entry::lost_at_exit("while calls are on their way that may be paid", &running)));
    }
    let uncollected: Vec<_> = watches.iter().flat_map(|(watch, _)| watch.uncollected()).collect();
    if !uncollected.is_empty() {
        deliver(
            py,
            Message::Log(Entry::lost_at_exit("with results that may be paid and nobody collected", &uncollected)),
        );
    }
}
