//! What runs behind Python's back: one thread for network and files, one that speaks to the interpreter.
//!
//! A process has one of each. A forked child starts its own, and leaves alone what it inherited.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
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
    /// Whose calls may be on their way. Only locked while attached.
    watches: Mutex<Vec<Watch>>,
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
    pub(crate) fn watch(&self, watch: Watch) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|known| !known.is_over() && !known.is_same(&watch));
        watches.push(watch);
    }

    fn pending(&self) -> Vec<String> {
        let watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.iter().flat_map(Watch::pending).collect()
    }
}

/// See the function of the same name in `_core`.
pub(crate) fn shutdown(py: Python<'_>) {
    OVER.store(true, Ordering::Relaxed);
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
    let pending = background.pending();
    if !pending.is_empty() {
        deliver(py, Message::Log(Entry::lost_at_exit(&pending)));
    }
}
