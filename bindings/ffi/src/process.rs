//! What this process has of the library: threads, and whom to call back. A forked child gets its own.

use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

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
    let _turn = Turn::take();
    // Whoever had the turn before has done it.
    if let Some(process) = known() {
        return Ok(process);
    }
    let started: std::io::Result<Process> = (|| {
        let (callbacks, background) = (Callbacks::start()?, Background::start(|| ())?);
        Ok(Process { id: process::id(), background, callbacks, log: Mutex::new(None) })
    })();
    let started =
        started.map_err(|error| Failure::config(format!("the library's threads cannot be started: {error}")))?;
    CURRENT.store(Box::into_raw(Box::new(started)), Ordering::Release);
    known().ok_or_else(Failure::panicked)
}

/// Whose turn it is to start threads, or to fork: a process's id, 0 for nobody's. A child that was forked while a thread of
/// its parent had the turn would find the runtime's locks held for ever.
static TURN: AtomicU32 = AtomicU32::new(0);

/// A thread's turn; a short one, so that others may spin.
struct Turn;

impl Turn {
    fn take() -> Self {
        let own = process::id();
        loop {
            let holder = TURN.load(Ordering::Acquire);
            // What a parent left behind has nobody to end it.
            if holder != own && TURN.compare_exchange(holder, own, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return Self;
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURN.store(0, Ordering::Release);
    }
}

/// Forks wait for whoever starts threads. Registered when the library is loaded, before anybody can fork in between.
#[cfg(target_os = "linux")]
mod at_fork {
    use super::{Ordering, TURN, Turn};

    #[used]
    // SAFETY: this section holds pointers to functions that are run at loading.
    #[unsafe(link_section = ".init_array")]
    static AT_LOADING: extern "C" fn() = register;

    extern "C" fn register() {
        // SAFETY: the library is never unloaded, so the functions stay; without memory for them forks are as elsewhere.
        let _ = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
    }

    unsafe extern "C" fn before() {
        std::mem::forget(Turn::take());
    }

    unsafe extern "C" fn after() {
        TURN.store(0, Ordering::Release);
    }
}

fn follow(pointer: *mut Process) -> Option<&'static Process> {
    // SAFETY: null, or made by `Box::into_raw` in `current` and never freed; nothing has a mutable reference to it.
    unsafe { pointer.as_ref() }
}
