//! What this process has of the library: threads, and whom to call back. A forked child gets its own.

use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use gptimage_binding::BackgroundRuntime;

use crate::callback::CallbackThread;
use crate::ffi_error::FfiError;
use crate::log_callback::LogCallback;

/// The threads of one process, which live as long as it does.
pub(crate) struct Process {
    id: u32,
    pub(crate) runtime: BackgroundRuntime,
    pub(crate) callbacks: CallbackThread,
    /// Never locked while a host's function runs.
    pub(crate) log: Mutex<Option<LogCallback>>,
}

/// No lock: a fork at any moment finds it whole. What it has pointed to is never freed.
static CURRENT: AtomicPtr<Process> = AtomicPtr::new(std::ptr::null_mut());

/// This process's threads, if they were started.
pub(crate) fn existing() -> Option<&'static Process> {
    follow(CURRENT.load(Ordering::Acquire)).filter(|process| process.id == process::id())
}

/// This process's threads, started if need be.
pub(crate) fn get_or_start() -> Result<&'static Process, FfiError> {
    if let Some(process) = existing() {
        return Ok(process);
    }
    let _lock = ForkLock::take();
    // Whoever had the turn before has done it.
    if let Some(process) = existing() {
        return Ok(process);
    }
    let started: std::io::Result<Process> = (|| {
        let (callbacks, runtime) = (CallbackThread::start()?, BackgroundRuntime::start(|| ())?);
        Ok(Process { id: process::id(), runtime, callbacks, log: Mutex::new(None) })
    })();
    let started =
        started.map_err(|error| FfiError::config(format!("the library's threads cannot be started: {error}")))?;
    CURRENT.store(Box::into_raw(Box::new(started)), Ordering::Release);
    existing().ok_or_else(FfiError::panicked)
}

/// Whose turn it is to start threads, or to fork: a process's id, 0 for nobody's. A child that was forked while a thread of
/// its parent had the turn would find the runtime's locks held for ever.
static FORK_LOCK: AtomicU32 = AtomicU32::new(0);

/// A thread's turn; a short one, so that others may spin.
struct ForkLock;

impl ForkLock {
    fn take() -> Self {
        let own = process::id();
        loop {
            let holder = FORK_LOCK.load(Ordering::Acquire);
            // What a parent left behind has nobody to end it.
            if holder != own && FORK_LOCK.compare_exchange(holder, own, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return Self;
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for ForkLock {
    fn drop(&mut self) {
        FORK_LOCK.store(0, Ordering::Release);
    }
}

/// Forks wait for whoever starts threads. Registered when the library is loaded, before anybody can fork in between.
#[cfg(target_os = "linux")]
mod at_fork {
    use super::{FORK_LOCK, ForkLock, Ordering};

    #[used]
    // SAFETY: this section holds pointers to functions that are run at loading.
    #[unsafe(link_section = ".init_array")]
    static AT_LOADING: extern "C" fn() = register;

    extern "C" fn register() {
        // SAFETY: the library is never unloaded, so the functions stay; without memory for them forks are as elsewhere.
        let _ = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
    }

    unsafe extern "C" fn before() {
        std::mem::forget(ForkLock::take());
    }

    unsafe extern "C" fn after() {
        FORK_LOCK.store(0, Ordering::Release);
    }
}

fn follow(pointer: *mut Process) -> Option<&'static Process> {
    // SAFETY: null, or made by `Box::into_raw` in `get_or_start` and never freed; nothing has a mutable reference to it.
    unsafe { pointer.as_ref() }
}
