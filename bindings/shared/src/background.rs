//! The thread with network and files.

use std::future::{Future, pending};
use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

/// A runtime on a thread of its own, named `gptimage`; files go through threads beside it, named `gptimage-files`. They
/// last as long as the process.
#[derive(Debug, Clone)]
pub struct Background {
    runtime: Handle,
}

impl Background {
    /// Starts the thread. `prepare` is called on each thread at its beginning.
    ///
    /// # Errors
    /// No thread or no event queue is to be had.
    pub fn start(prepare: impl Fn() + Clone + Send + Sync + 'static) -> io::Result<Self> {
        let _masked = Masked::new();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_name("gptimage-files")
            .thread_keep_alive(gptimage_core::FILE_THREAD_KEEP_ALIVE)
            .on_thread_start(prepare.clone())
            .build()?;
        let handle = runtime.handle().clone();
        thread::Builder::new().name("gptimage".to_owned()).spawn(move || {
            prepare();
            runtime.block_on(pending::<()>());
        })?;
        Ok(Self { runtime: handle })
    }

    /// Runs something on it.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn(work)
    }

    /// Runs something that blocks, beside it.
    pub fn spawn_blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        self.runtime.spawn_blocking(work)
    }

    /// Starts a thread of another purpose, on which no signal is delivered either.
    ///
    /// # Errors
    /// No thread is to be had.
    pub fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        Self::without_signals(|| thread::Builder::new().name(name.to_owned()).spawn(work).map(drop))
    }

    /// Runs something that starts threads: on those that it starts, no signal is delivered.
    pub fn without_signals<T>(start: impl FnOnce() -> T) -> T {
        let _masked = Masked::new();
        start()
    }
}

/// While this lives, the calling thread blocks all signals that come from elsewhere, and the threads that it starts block
/// them for ever: a host's handlers must not run on ours, and a reset peer must not end the host by SIGPIPE.
struct Masked {
    #[cfg(unix)]
    before: Option<nix::sys::signal::SigSet>,
}

#[cfg(unix)]
impl Masked {
    fn new() -> Self {
        use nix::sys::signal::{SigSet, SigmaskHow, Signal};

        let mut from_elsewhere = SigSet::all();
        // These are a thread's own doing.
        for own in [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGILL, Signal::SIGFPE, Signal::SIGTRAP, Signal::SIGABRT] {
            from_elsewhere.remove(own);
        }
        Self { before: from_elsewhere.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok() }
    }
}

#[cfg(unix)]
impl Drop for Masked {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // It was this thread's own mask a moment ago, so setting it again cannot fail.
            let _ = before.thread_set_mask();
        }
    }
}

#[cfg(not(unix))]
impl Masked {
    fn new() -> Self {
        Self {}
    }
}
