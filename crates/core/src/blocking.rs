//! The client for code without async: every method waits for its result.
//!
//! Network and file access run on one thread that belongs to the client. Calls from many threads run concurrently on
//! it.
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

/// Makes and edits images like [`crate::Client`], but blocks. Cheap to clone; clones share one thread, which ends when
/// the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Client {
    client: crate::Client,
    thread: Arc<Thread>,
}

impl Client {
    /// Starts the configuration of a client, with all defaults and without a key.
    pub fn builder() -> ClientBuilder<Self> {
        ClientBuilder::default()
    }

    /// Builds a client with key and base URL from the environment. Short for `Client::builder().read_env().build()`.
    ///
    /// # Errors
    /// The same as [`ClientBuilder::build`].
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().read_env().build()
    }

    /// Prepares a call that makes images. [`Call::send`] sends it.
    pub fn generate(&self, request: &GenerateRequest) -> Call {
        self.call(request)
    }

    /// Prepares a call that edits images. [`Call::send`] sends it.
    pub fn edit(&self, request: &EditRequest) -> Call {
        self.call(request)
    }

    /// Prepares a call of either operation. [`Call::send`] sends it.
    pub fn call(&self, request: impl Into<Request>) -> Call {
        Call { call: self.client.call(request), thread: self.thread.clone() }
    }

    /// Downloads an image from its URL. See [`crate::Client::fetch`].
    ///
    /// # Errors
    /// The same as [`crate::Client::fetch`].
    pub fn fetch(&self, image: &Image) -> Result<Image, Error> {
        let (client, image) = (self.client.clone(), image.clone());
        self.thread.run(async move { client.fetch(&image).await })?
    }

    /// Downloads an image from its URL into a file or folder. See [`crate::Client::fetch_to`].
    ///
    /// # Errors
    /// The same as [`crate::Client::fetch_to`].
    pub fn fetch_to(&self, image: &Image, to: impl Into<SaveTo>) -> Result<Image, Error> {
        let (client, image, to) = (self.client.clone(), image.clone(), to.into());
        self.thread.run(async move { client.fetch_to(&image, to).await })?
    }

    /// Returns the base URL after normalisation. See [`crate::Client::base_url`].
    pub fn base_url(&self) -> &str {
        self.client.base_url()
    }

    /// Returns the remaining balance of the account. See [`crate::Client::balance`].
    ///
    /// # Errors
    /// The same as [`crate::Client::balance`].
    pub fn balance(&self) -> Result<Balance, Error> {
        let client = self.client.clone();
        self.thread.run(async move { client.balance().await })?
    }

    /// Returns the results of calls whose callers stopped waiting. See [`crate::Client::collect`].
    pub fn collect(&self) -> Vec<Result<Generated, Error>> {
        self.client.collect()
    }

    /// Lists the calls that may be charged and whose results were not delivered yet. See [`crate::Client::pending`].
    pub fn pending(&self) -> Vec<Pending> {
        self.client.pending()
    }

    /// Prepares a lookup of attempts in the vendor's usage log. [`Reconcile::send`] sends it. See
    /// [`crate::Client::reconcile`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use gptimage_core::{Charge, GenerateRequest, blocking::Client};
    ///
    /// # let emulator = gptimage_emulator::Emulator::builder().spawn()?;
    /// # let client = Client::builder().api_key(emulator.key()).base_url(emulator.base_url()).build()?;
    /// let request = GenerateRequest::builder("A T-Rex relaxing on a beach").build()?;
    /// let generated = client.generate(&request).send()?;
    /// let reconciled = client.reconcile(generated.attempts()).timeout(Duration::from_secs(5)).send()?;
    /// assert_eq!(reconciled[0].charge, Charge::Charged);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reconcile<A: Into<ReconcileTarget>>(&self, attempts: impl IntoIterator<Item = A>) -> Reconcile {
        Reconcile { lookup: self.client.reconcile(attempts), thread: Arc::clone(&self.thread) }
    }

    /// Waits until all calls that run on without a caller have ended. See [`crate::Client::drain`].
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the client's thread has ended.
    pub fn drain(&self) -> Result<(), Error> {
        let client = self.client.clone();
        self.thread.run(async move { client.drain().await })
    }
}

impl ClientBuilder<Client> {
    /// Builds the client and starts its thread.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if there is no key or a setting cannot be used; the message names it.
    /// [`ErrorKind::Internal`] if the thread cannot be started.
    pub fn build(self) -> Result<Client, Error> {
        let client = crate::Client::new(self.validate()?)?;
        Ok(Client { client, thread: Arc::new(Thread::start()?) })
    }
}

/// A call that was not sent yet. [`Call::send`] sends it and blocks. See [`crate::Call`].
#[derive(Debug)]
#[must_use = "a call does nothing until `send`"]
pub struct Call {
    call: crate::Call,
    thread: Arc<Thread>,
}

impl Call {
    /// Streams the images into a file or folder. See [`crate::Call::save_to`].
    pub fn save_to(mut self, to: impl Into<SaveTo>) -> Self {
        self.call = self.call.save_to(to);
        self
    }

    /// Sets the maximum duration of the call. Default: the client's. See [`crate::Call::deadline`].
    pub fn deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.call = self.call.deadline(deadline);
        self
    }

    /// Sets whether images that are returned as URLs are downloaded at once. Default: the client's.
    pub fn fetch(mut self, fetch: bool) -> Self {
        self.call = self.call.fetch(fetch);
        self
    }

    /// Sets the maximum number of attempts, at least 1. Default: the client's.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.call = self.call.max_attempts(attempts);
        self
    }

    /// Sets a token that cancels the call, from another thread.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.call = self.call.cancel(token);
        self
    }

    /// Sets a callback for progress, which runs on the client's thread. See [`crate::Call::progress`].
    pub fn progress(mut self, observe: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.call = self.call.progress(observe);
        self
    }

    /// Returns the exact request as text without sending it. See [`crate::Call::dry_run`].
    ///
    /// # Errors
    /// The same as [`crate::Call::dry_run`].
    pub fn dry_run(self) -> Result<String, Error> {
        self.call.dry_run()
    }

    /// Sends the call and waits for its result.
    ///
    /// # Errors
    /// Every [`ErrorKind`] is possible. [`Error::charge`] states whether money was spent.
    pub fn send(self) -> Result<Generated, Error> {
        // Nobody knows how far it was.
        self.thread.run(self.call.send()).map_err(|error| error.with_charge(Charge::Unknown))?
    }
}

/// A lookup that was not sent yet. [`Reconcile::send`] sends it and blocks. See [`crate::Reconcile`].
#[derive(Debug)]
#[must_use = "a lookup does nothing until `send`"]
pub struct Reconcile {
    lookup: crate::Reconcile,
    thread: Arc<Thread>,
}

impl Reconcile {
    /// Sets how far back the log is read. Default: `24h`. See [`crate::Reconcile::period`].
    pub fn period(mut self, period: impl Into<String>) -> Self {
        self.lookup = self.lookup.period(period);
        self
    }

    /// Sets how long to wait for a row. Default: [`Timers::usage_log`](crate::Timers::usage_log). See
    /// [`crate::Reconcile::timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.lookup = self.lookup.timeout(timeout);
        self
    }

    /// Reads the usage log and returns one result for each attempt, in their order.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the client's thread has ended.
    pub fn send(self) -> Result<Vec<Reconciled>, Error> {
        self.thread.run(self.lookup.send())?
    }
}

/// A thread that runs a runtime. It ends when this is dropped, with the calls that run on without a caller.
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
