//! The error type and its kinds.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Serialize, Serializer};

use crate::attempt::Attempt;
use crate::charge::Charge;
use crate::generated::Generated;
use crate::violation::{InvalidRequest, Violation};

macro_rules! kinds {
    ($( $(#[$doc:meta])* $kind:ident = $slug:literal, $number:literal; )+) => {
        /// The kind of an error. Slug and number are the same in every language and are never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $( $(#[$doc])* #[doc = concat!("\n\nSlug `", $slug, "`, number ", stringify!($number), ".")] $kind, )+
        }

        impl ErrorKind {
            /// All kinds, in the order of their numbers.
            pub const ALL: &[Self] = &[$( Self::$kind, )+];

            /// Returns the stable slug.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$kind => $slug, )+ }
            }

            /// Returns the stable number, which is also the status code of the C ABI.
            pub const fn number(self) -> i32 {
                match self { $( Self::$kind => $number, )+ }
            }
        }
    };
}

kinds! {
    /// The request violates rules, which [`Error::violations`] lists. Nothing was sent.
    InvalidRequest = "invalid_request", 2;
    /// A key, URL, header, proxy or trust store cannot be used.
    Config = "config", 3;
    /// A local file cannot be read or written. An existing target is refused before anything is sent.
    Io = "io", 4;
    /// The request was provably not delivered completely.
    Connection = "connection", 10;
    /// The request was sent completely, but no response came that proves what happened.
    OutcomeUnknown = "outcome_unknown", 11;
    /// A token cancelled the call.
    Cancelled = "cancelled", 12;
    /// A 4xx for which there is no other kind.
    BadRequest = "bad_request", 20;
    /// 401: the key is missing or not valid.
    Authentication = "authentication", 21;
    /// 403: the key has no permission for this call.
    PermissionDenied = "permission_denied", 22;
    /// The account has no credits left: 402, or another refusal that says so.
    InsufficientCredits = "insufficient_credits", 23;
    /// 404: there is no such route or model.
    NotFound = "not_found", 24;
    /// Moderation rejected the prompt or an image.
    ModerationBlocked = "moderation_blocked", 25;
    /// 429, unless it says that no credits are left.
    RateLimited = "rate_limited", 26;
    /// 500, 502, 503 or 504 in the gateway's own error format. Documented as unbilled; `charge` stays
    /// [`Charge::Unknown`].
    Server = "server", 27;
    /// A 2xx response cannot be used.
    ResponseInvalid = "response_invalid", 30;
    /// The image is at its URL, but could not be downloaded.
    DownloadFailed = "download_failed", 31;
    /// The budget does not allow the call. Nothing was sent.
    BudgetExceeded = "budget_exceeded", 40;
    /// A bug in this library.
    Internal = "internal", 99;
}

impl Serialize for ErrorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A complete response that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeptAnswer {
    File(PathBuf),
    /// In memory, if there is no folder for it.
    Memory(Bytes),
}

/// An error, with its kind and whether money was spent.
///
/// Its text is one line that says what to do next. It contains neither the key nor a long response body. The underlying
/// error, such as an [`io::Error`], is its [`source`](std::error::Error::source). Clones share images.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use gptimage_core::{Charge, Client, ErrorKind, GenerateRequest};
/// # use gptimage_emulator::{Emulator, ErrorBody, Fault};
/// # let emulator = Emulator::builder().start().await?;
/// # emulator.fault(Fault::answer(400).body(ErrorBody::documented("Your request was rejected by our safety system")));
/// # let client = Client::builder().api_key(emulator.key()).base_url(emulator.base_url()).build()?;
/// let request = GenerateRequest::builder("A T-Rex").build()?;
/// let error = client.generate(&request).send().await.unwrap_err();
/// match (error.kind(), error.charge()) {
///     (ErrorKind::RateLimited, _) => println!("wait {:?}", error.retry_after()),
///     (_, Charge::NotCharged) => println!("nothing was paid, so another call is safe: {error}"),
///     (_, Charge::Charged | Charge::Unknown) => println!("look up {:?} first", error.attempts()),
///     _ => {}
/// }
/// # assert_eq!(error.charge(), Charge::NotCharged);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    charge: Charge,
    message: String,
    http_status: Option<u16>,
    violations: Vec<Violation>,
    retry_after: Option<Duration>,
    vendor_says_free: bool,
    timed_out: bool,
    attempts: Vec<Attempt>,
    generated: Option<Generated>,
    response_body: Option<String>,
    kept_answer: Option<KeptAnswer>,
    task_id: Option<String>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
    /// See [`Error::call_continues`].
    call_continues: bool,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            charge: Charge::NotCharged,
            message: message.into(),
            http_status: None,
            violations: Vec::new(),
            retry_after: None,
            vendor_says_free: false,
            timed_out: false,
            attempts: Vec::new(),
            generated: None,
            response_body: None,
            kept_answer: None,
            task_id: None,
            cause: None,
            call_continues: false,
        }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    pub(crate) fn io(what: impl fmt::Display, error: io::Error) -> Self {
        let reason = match error.get_ref() {
            None if error.raw_os_error().is_none() => String::new(),
            _ => format!(": {}", crate::text::io_reason(&error)),
        };
        Self::new(ErrorKind::Io, format!("{what}{reason}")).caused_by(error)
    }

    pub(crate) fn with_charge(mut self, charge: Charge) -> Self {
        self.0.charge = charge;
        self
    }

    pub(crate) fn with_status(mut self, status: Option<u16>) -> Self {
        self.0.http_status = status;
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    pub(crate) fn with_vendor_says_free(mut self, free: bool) -> Self {
        self.0.vendor_says_free = free;
        self
    }

    pub(crate) fn with_timed_out(mut self, timed_out: bool) -> Self {
        self.0.timed_out = timed_out;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: Vec<Attempt>) -> Self {
        // An attempt that may have been charged stays so, whatever came after it.
        self.0.charge = attempts.iter().map(|attempt| attempt.charge).fold(self.0.charge, Charge::max);
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_generated(mut self, generated: Option<Generated>) -> Self {
        self.0.generated = generated;
        self
    }

    pub(crate) fn with_response_body(mut self, body: Option<String>) -> Self {
        self.0.response_body = body;
        self
    }

    pub(crate) fn with_kept_answer(mut self, kept: Option<KeptAnswer>) -> Self {
        self.0.kept_answer = kept;
        self
    }

    pub(crate) fn with_task_id(mut self, id: Option<String>) -> Self {
        self.0.task_id = id.map(|id| crate::text::shorten(&id, 200));
        self
    }

    pub(crate) fn with_call_continues(mut self, continues: bool) -> Self {
        self.0.call_continues = continues;
        self
    }

    /// Returns whether the call's own result is still to come: its attempt runs on and the salvage store gets its result,
    /// or the attempt was aborted because of [`ClientBuilder::abort_on_cancel`](crate::ClientBuilder::abort_on_cancel).
    pub(crate) fn call_continues(&self) -> bool {
        self.0.call_continues
    }

    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(Arc::from(cause.into()));
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns whether money was spent, over all attempts.
    pub fn charge(&self) -> Charge {
        self.0.charge
    }

    /// Returns the one-line text, which is also the `Display` form.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the HTTP status of the response, if there was one.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// Returns all violations of an [`ErrorKind::InvalidRequest`].
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// Returns how long the server asks to wait before another call.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns whether the vendor documents this failure as unbilled. That is not proof, so `charge` stays unknown.
    pub fn vendor_says_free(&self) -> bool {
        self.0.vendor_says_free
    }

    /// Returns whether a timer or the deadline ended the call.
    pub fn is_timeout(&self) -> bool {
        self.0.timed_out
    }

    /// Returns all attempts in their order.
    pub fn attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// Returns the images that were paid for and arrived in spite of the error. An image that was not downloaded is
    /// included with its URL.
    pub fn generated(&self) -> Option<&Generated> {
        self.0.generated.as_ref()
    }

    pub(crate) fn generated_mut(&mut self) -> Option<&mut Generated> {
        self.0.generated.as_mut()
    }

    /// Consumes the error and returns the images that were paid for.
    pub fn into_generated(self) -> Option<Generated> {
        self.0.generated
    }

    /// Returns the first 64 KiB of a response that could not be used, without its images.
    pub fn response_body(&self) -> Option<&str> {
        self.0.response_body.as_deref()
    }

    /// Returns the file that holds a complete response that could not be used: next to the target of the images, or in
    /// the salvage folder. In place of the images, which [`Error::generated`] holds, it contains their numbers.
    pub fn response_file(&self) -> Option<&Path> {
        match &self.0.kept_answer {
            Some(KeptAnswer::File(path)) => Some(path),
            Some(KeptAnswer::Memory(_)) | None => None,
        }
    }

    /// Returns a complete response that could not be used, if there was no folder for [`Error::response_file`]. Clones
    /// share it.
    pub fn response_bytes(&self) -> Option<&Bytes> {
        match &self.0.kept_answer {
            Some(KeptAnswer::Memory(bytes)) => Some(bytes),
            Some(KeptAnswer::File(_)) | None => None,
        }
    }

    /// Returns the id of the task, if the gateway responded with a task in place of images. The gateway can be asked
    /// for its state.
    pub fn task_id(&self) -> Option<&str> {
        self.0.task_id.as_deref()
    }
}

impl From<InvalidRequest> for Error {
    fn from(invalid: InvalidRequest) -> Self {
        let mut error = Self::new(ErrorKind::InvalidRequest, invalid.to_string());
        error.0.violations = invalid.into_violations();
        error
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("charge", &self.0.charge)
            .field("message", &self.0.message)
            .field("http_status", &self.0.http_status)
            .field("attempts", &self.0.attempts)
            .field("generated", &self.0.generated)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

/// Serialises the whole error, without images or keys. `response_body` has at most 64 KiB.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            kind: ErrorKind,
            number: i32,
            charge: Charge,
            message: &'a str,
            http_status: Option<u16>,
            violations: &'a [Violation],
            retry_after_seconds: Option<f64>,
            vendor_says_free: bool,
            timed_out: bool,
            task_id: Option<&'a str>,
            response_file: Option<std::borrow::Cow<'a, str>>,
            response_body: Option<&'a str>,
            attempts: &'a [Attempt],
            generated: Option<&'a Generated>,
        }
        Shown {
            kind: self.kind(),
            number: self.kind().number(),
            charge: self.charge(),
            message: self.message(),
            http_status: self.http_status(),
            violations: self.violations(),
            retry_after_seconds: self.retry_after().map(|wait| wait.as_secs_f64()),
            vendor_says_free: self.vendor_says_free(),
            timed_out: self.is_timeout(),
            task_id: self.task_id(),
            response_file: self.response_file().map(Path::to_string_lossy),
            response_body: self.response_body(),
            attempts: self.attempts(),
            generated: self.generated(),
        }
        .serialize(serializer)
    }
}
