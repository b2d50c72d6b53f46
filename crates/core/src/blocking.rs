//! The same client for callers without async: every method waits for its result.
//!
//! Network and files live on one thread of the client's own, whichever threads call. Calls from many threads at once run
//! side by side on it.
//!
//! ```
//! use gptimage_core::{GenerateRequest, blocking::Client};
//!
//! # let emulator = gptimage_emulator::Emulator::builder().spawn()?;
//! # let client = Client::builder().api_key(emulator.key()).base_url(emulator.base_url()).build()?;
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("t-rex.png");
//! # /*
//! let client = Client::from_env()?;
//! # */
//! let request = GenerateRequest::builder("A T-Rex relaxing on a beach").build()?;
//! let generated = client.generate(&request).save_to(&path).send()?;
//! # assert_eq!(generated.image().and_then(|image| image.path()), Some(path.as_path()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::{Arc, mpsc};
use std::time::Duration;

use gptimage_model::SaveTo;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::cancel::CancelToken;
use crate::charge::Charge;
use crate::config::ClientBuilder;
use crate::error::{Error, ErrorKind};
use crate::generated::Generated;
use crate::image::Image;
use crate::progress::Progress;
use crate::reconcile::{ReconcileTarget, Reconciled};
use crate::request::{EditRequest, GenerateRequest, Request};
use crate::runtime::FILE_THREAD_KEEP_ALIVE;
use crate::salvage::Pending;
use crate::wire::Balance;

/// As [`crate::Client`], blocking. Cheap to clone; clones share the thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Client {
    client: crate::Client,
    thread: Arc<Thread>,
}

impl Client {
    /// Starts the configuration of a client, with every default and no key.
    pub fn builder() -> ClientBuilder<Self> {
        ClientBuilder::default()
    }

    /// Builds a client with key and base URL from the environment; the short form of
    /// `Client::builder().read_env().build()`.
    ///
    /// # Errors
    /// As [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().read_env().build()
    }

    /// Prepares a call that makes a picture; [`Call::send`] sends it.
    pub fn generate(&self, request: &GenerateRequest) -> Call {
        self.call(request)
    }

    /// Prepares a call that edits pictures; [`Call::send`] sends it.
    pub fn edit(&self, request: &EditRequest) -> Call {
        self.call(request)
    }

    /// Prepares a call of either operation; [`Call::send`] sends it.
    pub fn call(&self, request: impl Into<Request>) -> Call {
        Call { call: self.client.call(request), thread: self.thread.clone() }
    }

    /// As [`crate::Client::fetch`].
    ///
    /// # Errors
    /// As [`crate::Client::fetch`].
    pub fn fetch(&self, image: &Image) -> Result<Image, Error> {
        let (client, image) = (self.client.clone(), image.clone());
        self.thread.run(async move { client.fetch(&image).await })?
    }

    /// As [`crate::Client::fetch_to`].
    ///
    /// # Errors
    /// As [`crate::Client::fetch_to`].
    pub fn fetch_to(&self, image: &Image, to: impl Into<SaveTo>) -> Result<Image, Error> {
        let (client, image, to) = (self.client.clone(), image.clone(), to.into());
        self.thread.run(async move { client.fetch_to(&image, to).await })?
    }

    /// As [`crate::Client::base_url`].
    pub fn base_url(&self) -> &str {
        self.client.base_url()
    }

    /// As [`crate::Client::balance`].
    ///
    /// # Errors
    /// As [`crate::Client::balance`].
    pub fn balance(&self) -> Result<Balance, Error> {
        let client = self.client.clone();
        self.thread.run(async move { client.balance().await })?
    }

    /// As [`crate::Client::collect`].
    pub fn collect(&self) -> Vec<Result<Generated, Error>> {
        self.client.collect()
    }

    /// As [`crate::Client::pending`].
    pub fn pending(&self) -> Vec<Pending> {
        self.client.pending()
    }

    /// As [`crate::Client::reconcile`], for [`Timers::usage_log`](crate::Timers::usage_log).
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the thread is gone.
    pub fn reconcile<A: Into<ReconcileTarget>>(
        &self,
        attempts: impl IntoIterator<Item = A>,
    ) -> Result<Vec<Reconciled>, Error> {
        self.thread.run(self.client.reconcile(attempts).send())?
    }

    /// As [`crate::Client::drain`].
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the thread is gone.
    pub fn drain(&self) -> Result<(), Error> {
        let client = self.client.clone();
        self.thread.run(async move { client.drain().await })
    }
}

impl ClientBuilder<Client> {
    /// Builds the client and starts its thread.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: no key, or a setting that cannot be used. [`ErrorKind::Internal`] if no thread can be started.
    pub fn build(self) -> Result<Client, Error> {
        let client = crate::Client::new(self.validate()?)?;
        Ok(Client { client, thread: Arc::new(Thread::start()?) })
    }
}

/// As [`crate::Call`], blocking.
#[derive(Debug)]
#[must_use = "a call does nothing until `send`"]
pub struct Call {
    call: crate::Call,
    thread: Arc<Thread>,
}

impl Call {
    /// As [`crate::Call::save_to`].
    pub fn save_to(mut self, to: impl Into<SaveTo>) -> Self {
        self.call = self.call.save_to(to);
        self
    }

    /// As [`crate::Call::deadline`].
    pub fn deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.call = self.call.deadline(deadline);
        self
    }

    /// As [`crate::Call::fetch`].
    pub fn fetch(mut self, fetch: bool) -> Self {
        self.call = self.call.fetch(fetch);
        self
    }

    /// As [`crate::Call::max_attempts`].
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.call = self.call.max_attempts(attempts);
        self
    }

    /// As [`crate::Call::cancel`]; the token is the way to stop a call from another thread.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.call = self.call.cancel(token);
        self
    }

    /// As [`crate::Call::progress`]; called on the client's thread.
    pub fn progress(mut self, observe: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.call = self.call.progress(observe);
        self
    }

    /// As [`crate::Call::dry_run`].
    ///
    /// # Errors
    /// As [`crate::Call::dry_run`].
    pub fn dry_run(self) -> Result<String, Error> {
        self.call.dry_run()
    }

    /// Sends the call and waits for its result.
    ///
    /// # Errors
    /// Everything that can go wrong, with what it cost.
    pub fn send(self) -> Result<Generated, Error> {
        // Nobody knows how far it was.
        self.thread.run(self.call.send()).map_err(|error| error.with_charge(Charge::Unknown))?
    }
}

/// A thread with a runtime on it. Dropped, it ends; calls that nobody waits for end with it.
#[derive(Debug)]
struct Thread {
    runtime: Handle,
    /// Dropped to end the thread.
    _stop: oneshot::Sender<()>,
}

impl Thread {
    fn start() -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Internal, "the client's thread cannot be started").caused_by(error)
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_keep_alive(FILE_THREAD_KEEP_ALIVE)
            .build()
            .map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("gptimage".to_owned())
            .spawn(move || {
                // Either end of the channel going away is the signal.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Self { runtime: handle, _stop: stop })
    }

    /// Runs `work` on the thread and waits for it.
    fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T, Error> {
        let (done, result) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            // A caller that is gone needs no result.
            let _ = done.send(work.await);
        });
        result.recv().map_err(|error| {
            Error::new(ErrorKind::Internal, "the call ended early, by a fault of ours or with the client's thread")
                .caused_by(error)
        })
    }
}
