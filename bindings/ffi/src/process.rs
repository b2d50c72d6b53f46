//! The library's threads and log callback. Each process has its own; a forked child starts new ones.

use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use gptimage_binding::BackgroundRuntime;

use crate::callback::CallbackThread;
use crate::ffi_error::FfiError;
use crate::log_callback::LogCallback;

/// The state of one process, which lives as long as the process.
pub(crate) struct Process {
    id: u32,
    pub(crate) runtime: BackgroundRuntime,
    pub(crate) callbacks: CallbackThread,
    /// The host's log callback. This lock is never held while a host's function runs.
    pub(crate) log: Mutex<Option<LogCallback>>,
}

/// The current process's state. An atomic pointer instead of a lock, so that a fork at any moment finds it consistent.
/// What it pointed to earlier is never freed.
static CURRENT: AtomicPtr<Process> = AtomicPtr::new(std::ptr::null_mut());

/// Returns this process's state, if it exists.
pub(crate) fn existing() -> Option<&'static Process> {
    follow(CURRENT.load(Ordering::Acquire)).filter(|process| process.id == process::id())
}

/// Returns this process's state. Starts the threads if they are not running.
pub(crate) fn get_or_start() -> Result<&'static Process, FfiError> {
    if let Some(process) = existing() {
        return Ok(process);
    }
    let _lock = ForkLock::take();
    // Another thread may have started them in the meantime.
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

/// Held while threads are started, and during a fork: the id of the process that holds it, or 0. A child that is forked while
/// its parent starts threads would find the runtime's locks held for ever.
static FORK_LOCK: AtomicU32 = AtomicU32::new(0);

/// Guard of [`FORK_LOCK`]. Held briefly, so waiting threads spin.
struct ForkLock;

impl ForkLock {
    fn take() -> Self {
        let own = process::id();
        loop {
            let holder = FORK_LOCK.load(Ordering::Acquire);
            // A lock inherited from the parent has no owner in this process.
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

/// Makes forks wait while threads are started. Registered when the library is loaded, so that no fork can come earlier.
#[cfg(target_os = "linux")]
mod at_fork {
    use super::{FORK_LOCK, ForkLock, Ordering};

    #[used]
    // SAFETY: the loader calls the functions in this section.
    #[unsafe(link_section = ".init_array")]
    static AT_LOADING: extern "C" fn() = register;

    extern "C" fn register() {
        // SAFETY: the library is never unloaded, so the functions stay valid. If there is no memory, forks are not synchronised.
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
