//! What this process has of the library: threads, and whom to call back. A forked child gets its own.

use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering};

use gptimage_binding::Background;

use crate::callback::Callbacks;
use crate::error::Failure;
use crate::log::Listener;

/// The threads of one process, which live as long as it does.
pub(crate) struct Process {
    id: u32,
    pub(crate) background: Background,
    pub(crate) callbacks: Callbacks,
    /// Never locked while a host's function runs.
    pub(crate) log: Mutex<Option<Listener>>,
}

/// No lock: a fork at any moment finds it whole. What it has pointed to is never freed.
static CURRENT: AtomicPtr<Process> = AtomicPtr::new(std::ptr::null_mut());

/// This process's threads, if they were started.
pub(crate) fn known() -> Option<&'static Process> {
    follow(CURRENT.load(Ordering::Acquire)).filter(|process| process.id == process::id())
}

/// This process's threads, started if need be.
pub(crate) fn current() -> Result<&'static Process, Failure> {
    if let Some(process) = known() {
        return Ok(process);
    }
    let known = CURRENT.load(Ordering::Acquire);
    let started: std::io::Result<Process> = (|| {
        let (callbacks, background) = (Callbacks::start()?, Background::start(|| ())?);
        Ok(Process { id: process::id(), background, callbacks, log: Mutex::new(None) })
    })();
    let started =
        started.map_err(|error| Failure::config(format!("the library's threads cannot be started: {error}")))?;
    let started = Box::into_raw(Box::new(started));
    let winner = match CURRENT.compare_exchange(known, started, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => started,
        // Another thread was faster. Ours stay idle, once in a process's life.
        Err(winner) => winner,
    };
    follow(winner).ok_or_else(Failure::panicked)
}

fn follow(pointer: *mut Process) -> Option<&'static Process> {
    // SAFETY: null, or made by `Box::into_raw` in `current` and never freed; nothing has a mutable reference to it.
    unsafe { pointer.as_ref() }
}
