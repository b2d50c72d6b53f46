//! The client, which chains the steps: request → wire → transport → images.

use std::sync::{Arc, Weak};
use std::time::Duration;

use gptimage_model::SaveTo;
use tokio::time::Instant;
use url::Url;

use crate::budget::PriceKey;
use crate::cancel::CancelToken;
use crate::config::{ClientBuilder, Connection, Settings, join, require_attempts};
use crate::error::{Error, ErrorKind};
use crate::generated::Generated;
use crate::image::{Image, Location, Target};
use crate::progress::{Observer, Progress};
use crate::random;
use crate::reconcile::{Reconcile, ReconcileTarget};
use crate::request::{EditRequest, GenerateRequest, Request};
use crate::runtime::require_runtime;
use crate::salvage::{Pending, Salvage};
use crate::transport::{AttemptLoop, CallContext, Http, WriteLimiter, balance, download_one};
use crate::wire::{self, Balance, Body};

/// Makes and edits images. Cheap to clone; clones share all state. Can be used from any thread, inside a tokio runtime.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use gptimage_core::{Client, EditRequest, GenerateRequest};
///
/// # let emulator = gptimage_emulator::Emulator::builder().start().await?;
/// # let client = Client::builder().api_key(emulator.key()).base_url(emulator.base_url()).build()?;
/// # let folder = tempfile::tempdir()?;
/// # let (t_rex, crowned) = (folder.path().join("t-rex.png"), folder.path().join("crowned.png"));
/// # /*
/// let client = Client::from_env()?;
/// # */
/// let request = GenerateRequest::builder("A T-Rex relaxing on a beach").build()?;
/// client.generate(&request).save_to(&t_rex).send().await?;
///
/// let request = EditRequest::builder("Put a crown on the T-Rex's head", [&t_rex]).build()?;
/// let generated = client.edit(&request).save_to(&crowned).send().await?;
/// println!("{:?} {:?}", generated.images(), generated.cost());
/// # assert_eq!(generated.image().and_then(|image| image.path()), Some(crowned.as_path()));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    settings: Arc<Settings>,
    http: Http,
    write_limiter: Arc<WriteLimiter>,
    salvage: Arc<Salvage>,
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

    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let settings = Arc::new(settings);
        let http = Http::new(settings.clone())?;
        let salvage = Arc::new(Salvage::new(settings.salvage_max_bytes, settings.salvage_folder.clone()));
        Ok(Self { settings, http, write_limiter: Arc::default(), salvage })
    }

    /// Builds a client with another configuration that shares this client's store of uncollected results. Either client
    /// can collect the results of both.
    ///
    /// # Errors
    /// The same as [`ClientBuilder::build`], and [`ErrorKind::Config`] if [`ClientBuilder::salvage_folder`] differs.
    #[doc(hidden)]
    pub fn with_builder(&self, builder: ClientBuilder<Self>) -> Result<Self, Error> {
        let other = builder.build()?;
        if other.settings.salvage_folder != self.settings.salvage_folder {
            return Err(Error::config(
                "salvage_folder: clients that share what they keep have one; make a client of its own",
            ));
        }
        Ok(Self { salvage: self.salvage.clone(), write_limiter: self.write_limiter.clone(), ..other })
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
        Call {
            client: self.clone(),
            request: request.into(),
            save_to: None,
            deadline: self.settings.deadline,
            max_attempts: self.settings.max_attempts,
            fetch: self.settings.fetch,
            cancel: None,
            observer: None,
        }
    }

    /// Downloads an image from its URL, or returns it if it was downloaded before. Downloads are free and can be
    /// repeated.
    ///
    /// # Errors
    /// [`ErrorKind::DownloadFailed`] if the image could not be downloaded.
    pub async fn fetch(&self, image: &Image) -> Result<Image, Error> {
        download_one(&self.http, &self.settings, image, None).await
    }

    /// Downloads an image from its URL into a file or folder, or saves a copy there if it was downloaded before.
    ///
    /// # Errors
    /// The same as [`Client::fetch`], and [`ErrorKind::Io`] if the file cannot be written.
    pub async fn fetch_to(&self, image: &Image, to: impl Into<SaveTo>) -> Result<Image, Error> {
        let to = to.into();
        if matches!(image.location(), Location::Url) {
            let target = Target::resolve(&to, 1)?;
            return download_one(&self.http, &self.settings, image, Some(Arc::new(target))).await;
        }
        require_runtime()?;
        let image = image.clone();
        let saved = tokio::task::spawn_blocking(move || {
            let path = image.save(to)?;
            let url = image.url().map(str::to_owned);
            let revised_prompt = image.revised_prompt().map(str::to_owned);
            let saved = Image::from_file(path).with_url(url).with_revised_prompt(revised_prompt);
            Ok(saved.with_inline(image.is_inline()))
        });
        saved.await.map_err(|error| Error::new(ErrorKind::Internal, "the copy was not saved").caused_by(error))?
    }

    /// Returns the base URL after normalisation, with `/v1/`. It can be given to another client.
    pub fn base_url(&self) -> &str {
        &self.settings.base_url_shown
    }

    /// Describes how the gateway is reached: proxy and trusted certificates.
    #[doc(hidden)]
    pub fn connection(&self) -> Connection {
        self.settings.connection()
    }

    /// Returns the remaining balance of the account. This is free.
    ///
    /// # Errors
    /// [`ErrorKind::Connection`], or the kind of a response that refuses the key. The charge is always `NotCharged`.
    pub async fn balance(&self) -> Result<Balance, Error> {
        balance(&self.http, &self.settings).await
    }

    /// Prepares a look-up in the vendor's usage log, for attempts that may have been charged: the attempts of an error,
    /// or client request ids. [`Reconcile::send`] reads the log, which is free. Attempts whose charge is already proved
    /// are not looked up. If the log is unavailable, refuses or lags behind, the charge stays unknown.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gptimage_core::{Charge, Client, GenerateRequest};
    /// # use gptimage_emulator::{Cut, Emulator, Fault};
    /// # let emulator = Emulator::builder().start().await?;
    /// # emulator.fault(Fault::cut_response(0, Cut::Rst));
    /// # let client = Client::builder().api_key(emulator.key()).base_url(emulator.base_url()).build()?;
    /// let request = GenerateRequest::builder("A T-Rex").build()?;
    /// if let Err(error) = client.generate(&request).send().await {
    ///     for attempt in client.reconcile(error.attempts()).send().await? {
    ///         println!("{}: {}", attempt.client_request_id, attempt.message);
    /// #       assert_eq!(attempt.charge, Charge::Charged);
    ///     }
    /// }
    /// # assert_eq!(emulator.charges(), 1);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Reconcile::send`] fails with [`ErrorKind::Config`] outside a tokio runtime.
    pub fn reconcile<A: Into<ReconcileTarget>>(&self, attempts: impl IntoIterator<Item = A>) -> Reconcile {
        Reconcile::new(self.http.clone(), self.settings.clone(), attempts.into_iter().map(Into::into).collect())
    }

    /// Returns a weak handle to the client's calls in flight.
    #[doc(hidden)]
    pub fn in_flight(&self) -> InFlight {
        InFlight(Arc::downgrade(&self.salvage))
    }

    /// Lists the calls that may be charged and whose results were not delivered yet: attempts in flight that the server may
    /// have received, including those that a caller waits for, and results that wait for [`Client::collect`]. Blocks
    /// while it reads a salvage folder.
    pub fn pending(&self) -> Vec<Pending> {
        self.salvage.pending()
    }

    /// Returns the results of calls whose callers stopped waiting (a dropped future, a deadline) after the request had
    /// been sent. Each result is returned once. Errors that provably cost nothing are not kept. Blocks while it reads a
    /// salvage folder; image files in that folder stay there and belong to the caller from then on.
    pub fn collect(&self) -> Vec<Result<Generated, Error>> {
        self.salvage.collect()
    }

    /// Returns the oldest result of those that [`Client::collect`] would return.
    pub fn collect_one(&self) -> Option<Result<Generated, Error>> {
        self.salvage.collect_one()
    }

    /// Puts a result back for the next `collect`, for a caller that was interrupted while it received the result.
    /// Errors that provably cost nothing are dropped. So is the error of a cancelled or late call that runs on: the
    /// call's own result is kept when it ends.
    #[doc(hidden)]
    pub fn keep(&self, outcome: Result<Generated, Error>) {
        if !outcome.as_ref().is_err_and(Error::call_continues) {
            self.salvage.put(outcome);
        }
    }

    /// Announces a result that no caller waits for any more, when a call is given up while its future is still running
    /// elsewhere. [`Client::drain`] waits until the returned value is dropped.
    #[doc(hidden)]
    pub fn begin_detached(&self) -> DetachedCall {
        self.salvage.begin_detached();
        DetachedCall(self.salvage.clone())
    }

    /// Waits until all calls that run on without a caller have ended.
    pub async fn drain(&self) {
        self.salvage.drain().await;
    }
}

/// An announced result that will be passed to [`Client::keep`].
#[derive(Debug)]
#[must_use = "dropped, it is not waited for"]
pub struct DetachedCall(Arc<Salvage>);

impl Drop for DetachedCall {
    fn drop(&mut self) {
        self.0.end_detached();
    }
}

/// A weak handle to a client's calls in flight; it does not keep the client alive. For code that is about to end the
/// process.
#[derive(Debug, Clone)]
pub struct InFlight(Weak<Salvage>);

impl InFlight {
    /// Lists the attempts in flight that may be charged, because the server may have received the whole request.
    pub fn running(&self) -> Vec<Pending> {
        self.0.upgrade().map(|salvage| salvage.in_flight()).unwrap_or_default()
    }

    /// Lists the uncollected results that are lost when the process ends. Results whose images are all saved to files
    /// are not among them.
    pub fn uncollected(&self) -> Vec<Pending> {
        self.0.upgrade().map(|salvage| salvage.ends_with_process()).unwrap_or_default()
    }

    /// Waits until all calls that run on without a caller have ended.
    pub async fn drain(&self) {
        if let Some(salvage) = self.0.upgrade() {
            salvage.drain().await;
        }
    }

    /// Returns whether results are being written to the salvage folder. They are lost if the process ends now.
    pub fn is_filing(&self) -> bool {
        self.0.upgrade().is_some_and(|salvage| salvage.is_filing())
    }

    /// Returns whether both handles refer to the same client's calls.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }

    /// Returns whether the client and all of its calls are gone.
    pub fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

/// A call that was not sent yet. [`Call::send`] sends it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use gptimage_core::{Client, GenerateRequest};
/// # let emulator = gptimage_emulator::Emulator::builder().start().await?;
/// # let client = Client::builder().api_key(emulator.key()).base_url(emulator.base_url()).build()?;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("t-rex.png");
/// let request = GenerateRequest::builder("A T-Rex relaxing on a beach").build()?;
/// let call = client.generate(&request).save_to(&path).deadline(Duration::from_secs(300));
/// let generated = call.progress(|progress| println!("{}", progress.phase)).send().await?;
/// # assert_eq!(generated.images().len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a call does nothing until `send`"]
pub struct Call {
    client: Client,
    request: Request,
    save_to: Option<SaveTo>,
    deadline: Option<Duration>,
    max_attempts: u32,
    fetch: bool,
    cancel: Option<CancelToken>,
    observer: Option<Observer>,
}

impl Call {
    /// Streams the images into a file or folder. An existing file is refused before anything is sent, unless
    /// [`SaveTo::overwrite`] is set. For the known model, the file's extension decides `output_format` if the request
    /// does not set it, and an `output_format` that contradicts the extension is refused.
    pub fn save_to(mut self, to: impl Into<SaveTo>) -> Self {
        self.save_to = Some(to.into());
        self
    }

    /// Sets the maximum duration of the call, including all attempts and pauses. Default: the client's.
    pub fn deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Sets the maximum number of attempts, at least 1. Default: the client's.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets whether images that are returned as URLs are downloaded at once. Default: the client's.
    pub fn fetch(mut self, fetch: bool) -> Self {
        self.fetch = fetch;
        self
    }

    /// Sets a token that cancels the call.
    pub fn cancel(mut self, token: &CancelToken) -> Self {
        self.cancel = Some(token.clone());
        self
    }

    /// Sets a callback for progress. It is called when the progress changes, at most twenty times a second, and once
    /// before each attempt sends anything, so that the attempt's id is known by then. It runs in the task that awaits
    /// the call and must not block. A panic in it is logged, and the call goes on.
    pub fn progress(mut self, observe: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.observer = Some(Observer::new(observe));
        self
    }

    /// Returns the exact request as text without sending it. The key is redacted; images are represented by their
    /// lengths.
    ///
    /// # Errors
    /// The errors of [`Call::send`] for a `save_to` that cannot be used.
    pub fn dry_run(self) -> Result<String, Error> {
        let url = self.url()?;
        let (request, body) = self.prepared()?;
        if let Some(to) = &self.save_to {
            Target::resolve(to, request.parameters().count())?;
        }
        let own_headers = self.client.settings.headers.iter().map(|(name, _)| name.as_str());
        Ok(wire::describe_call(&url, &body, own_headers))
    }

    /// The request as its target's extension completes it, and its body.
    fn prepared(&self) -> Result<(Request, Body), Error> {
        let request = self.request.clone();
        let request = match &self.save_to {
            Some(to) => request.saved_to(to)?,
            None => request,
        };
        let body = Body::of(&request, &format!("gptimage-{}", random::token())).map_err(|error| {
            Error::new(ErrorKind::Internal, "the request cannot be written as JSON").caused_by(error)
        })?;
        Ok((request, body))
    }

    fn url(&self) -> Result<Url, Error> {
        join(&self.client.settings.base_url, wire::path(self.request.operation()))
    }

    /// Sends the call and waits for its result.
    ///
    /// If the future is dropped before the request was sent completely, the call ends and nothing is charged. If it is
    /// dropped later, the call runs on, and [`Client::collect`] returns its result.
    ///
    /// # Errors
    /// Every [`ErrorKind`] is possible. [`Error::charge`] states whether money was spent.
    pub fn send(self) -> impl Future<Output = Result<Generated, Error>> + Send + Unpin + 'static {
        // In a box: the future is large, and callers keep many.
        Box::pin(self.prepare_and_send())
    }

    async fn prepare_and_send(self) -> Result<Generated, Error> {
        let deadline = self.deadline.and_then(|deadline| Instant::now().checked_add(deadline));
        require_attempts(self.max_attempts)?;
        let url = self.url()?;
        let (request, body) = self.prepared()?;
        for warning in request.warnings() {
            tracing::warn!(kind = warning.kind(), "{warning}");
        }
        let asked = request.parameters().count();
        let target = match &self.save_to {
            Some(to) => Some(Arc::new(Target::resolve(to, asked)?)),
            None => None,
        };
        let context = CallContext {
            settings: self.client.settings.clone(),
            write_limiter: self.client.write_limiter.clone(),
            url,
            body,
            asked,
            target,
            max_attempts: self.max_attempts,
            fetch: self.fetch,
            deadline,
            budget: self.client.settings.budget.clone().map(|budget| (budget, PriceKey::of(&request))),
            request,
            cancel: self.cancel,
            observer: self.observer,
        };
        AttemptLoop { http: self.client.http, context: Arc::new(context), salvage: self.client.salvage }.run().await
    }
}

impl ClientBuilder<Client> {
    /// Builds the client.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if there is no key or a setting cannot be used; the message names it.
    pub fn build(self) -> Result<Client, Error> {
        Client::new(self.validate()?)
    }
}
