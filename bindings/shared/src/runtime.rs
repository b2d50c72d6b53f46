//! The background thread for network and files.

use std::future::{Future, pending};
use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

/// A tokio runtime on a thread named `gptimage`, with blocking threads named `gptimage-files`. Lives as long as the process.
#[derive(Debug, Clone)]
pub struct BackgroundRuntime {
    runtime: Handle,
}

impl BackgroundRuntime {
    /// Starts the thread. Each thread calls `prepare` first.
    ///
    /// # Errors
    /// The system has no thread or event queue left.
    pub fn start(prepare: impl Fn() + Clone + Send + Sync + 'static) -> io::Result<Self> {
        let _masked = SignalMask::new();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_name("gptimage-files")
            .thread_keep_alive(gptimage_core::binding::FILE_THREAD_KEEP_ALIVE)
            .on_thread_start(prepare.clone())
            .build()?;
        let handle = runtime.handle().clone();
        thread::Builder::new().name("gptimage".to_owned()).spawn(move || {
            prepare();
            runtime.block_on(pending::<()>());
        })?;
        Ok(Self { runtime: handle })
    }

    /// Runs a future on the runtime.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn(work)
    }

    /// Runs a blocking function on one of the `gptimage-files` threads.
    pub fn spawn_blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn_blocking(work)
    }

    /// Starts a thread on which no signal is delivered.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn spawn_thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        Self::without_signals(|| thread::Builder::new().name(name.to_owned()).spawn(work).map(drop))
    }

    /// Runs a function with signals blocked, so that threads that it starts receive none.
    pub fn without_signals<T>(start: impl FnOnce() -> T) -> T {
        let _masked = SignalMask::new();
        start()
    }
}

/// Blocks all asynchronous signals on the calling thread while it lives; threads started meanwhile inherit the mask. A host's
/// handlers must not run on our threads, and a reset connection must not kill the host by SIGPIPE.
struct SignalMask {
    #[cfg(unix)]
    before: Option<nix::sys::signal::SigSet>,
}

#[cfg(unix)]
impl SignalMask {
    fn new() -> Self {
        use nix::sys::signal::{SigSet, SigmaskHow, Signal};

        let mut asynchronous = SigSet::all();
        // Synchronous signals are caused by the thread itself.
        for own in [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGILL, Signal::SIGFPE, Signal::SIGTRAP, Signal::SIGABRT] {
            asynchronous.remove(own);
        }
        Self { before: asynchronous.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok() }
    }
}

#[cfg(unix)]
impl Drop for SignalMask {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Restoring this thread's own mask cannot fail.
            let _ = before.thread_set_mask();
        }
    }
}

#[cfg(not(unix))]
impl SignalMask {
    fn new() -> Self {
        Self {}
    }
}
