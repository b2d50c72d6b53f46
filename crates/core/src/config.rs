//! The configuration of a client. This is the only file that reads environment variables.

use std::ffi::{OsStr, OsString};
use std::marker::PhantomData;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::base_url::BaseUrl;
use crate::budget::Budget;
use crate::error::Error;
use crate::proxy::{Proxy, Routes};
use crate::secret::ApiKey;
use crate::url_guard::DownloadGuard;
use crate::wire::{BALANCE_PATH, LOGS_PATH};

/// Environment variables for the API key. The first one that is set and not blank is used.
pub const KEY_VARIABLES: &[&str] = &["AIMLAPI_KEY", "AIMLAPI_API_KEY", "AIML_API_KEY"];
/// Environment variables for the base URL. The first one that is set and not blank is used.
pub const BASE_URL_VARIABLES: &[&str] = &["AIMLAPI_BASE_URL", "AIMLAPI_API_BASE", "AIML_API_BASE"];
/// The default base URL.
pub const DEFAULT_BASE_URL: &str = "https://api.aimlapi.com/v1";

const PROXY_VARIABLES: &[&str] = &["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The timeouts and waiting times of a client, in real time on a monotonic clock. Durations of more than 365 days are
/// shortened to that.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Timers {
    /// Maximum time to establish a connection, including DNS, TCP, TLS and a proxy's CONNECT. Default: 10 s.
    pub connect: Duration,
    /// Maximum time without progress of an upload. Default: 90 s.
    pub write: Duration,
    /// Maximum time from the last byte sent to the response's header. Minutes of silence are normal. Default: 15 min.
    pub response_header: Duration,
    /// Maximum time without progress of a response. Default: 4 min, because after an outage of 90 s TCP itself may
    /// pause for as long again. A download can be resumed, so for it the maximum is 60 s even if this is longer.
    pub read: Duration,
    /// Upper bound of the random pause before the second attempt. It doubles with each attempt. Default: 0.5 s.
    pub initial_backoff: Duration,
    /// Upper bound of every random pause. Default: 8 s.
    pub max_backoff: Duration,
    /// Longest `Retry-After` that is waited for. A longer one is returned as an error at once. Default: 120 s.
    pub max_retry_after: Duration,
    /// How long a 404 at an image's URL is retried; it is normal just after generation. Default: 120 s.
    pub url_not_found: Duration,
    /// How long to wait for a row of the vendor's usage log. Rows appear some time after the response. Default: 60 s.
    pub usage_log: Duration,
    /// TCP keepalive: idle time before the first probe. Default: 15 s.
    pub tcp_keepalive_idle: Duration,
    /// TCP keepalive: time between two probes. Default: 15 s.
    pub tcp_keepalive_interval: Duration,
    /// TCP keepalive: number of unanswered probes after which the connection is closed. Default: 8.
    pub tcp_keepalive_probes: u32,
    /// How long sent data may stay unacknowledged before the connection is closed (Linux only). Default: 120 s.
    pub tcp_user_timeout: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(10),
            write: seconds(90),
            response_header: seconds(15 * 60),
            read: seconds(4 * 60),
            initial_backoff: Duration::from_millis(500),
            max_backoff: seconds(8),
            max_retry_after: seconds(120),
            url_not_found: seconds(120),
            usage_log: seconds(60),
            tcp_keepalive_idle: seconds(15),
            tcp_keepalive_interval: seconds(15),
            tcp_keepalive_probes: 8,
            tcp_user_timeout: seconds(120),
        }
    }
}

/// The upper limit of all timers, so that adding one to a clock cannot overflow.
const LONGEST_TIMER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Timers {
    /// Sets a timer by the name of its field, for languages without this struct. The value is in seconds, except that
    /// of `tcp_keepalive_probes`, which is a count from 1 to 1000.
    ///
    /// ```
    /// let mut timers = gptimage_core::Timers::default();
    /// timers.set("response_header", 300.0)?;
    /// assert_eq!(timers.response_header.as_secs(), 300);
    /// let error = timers.set("headers", 5.0).unwrap_err();
    /// assert!(error.message().contains("connect, write, response_header"));
    /// # Ok::<(), gptimage_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if there is no such timer or the value is not valid for it.
    #[doc(hidden)]
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), Error> {
        const PROBES: &str = "tcp_keepalive_probes";
        if name == PROBES {
            let whole = (1.0..=1000.0).contains(&value) && value.fract() == 0.0;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "looked at in the line above")]
            let probes = whole.then_some(value as u32);
            self.tcp_keepalive_probes =
                probes.ok_or_else(|| Error::config(format!("{name}: {value} is no count from 1 to 1000")))?;
            return Ok(());
        }
        let mut durations = self.durations();
        let Some((_, timer)) = durations.iter_mut().find(|(known, _)| *known == name) else {
            let known: Vec<_> = durations.iter().map(|(known, _)| *known).chain([PROBES]).collect();
            let name = crate::text::shorten(name, 60);
            return Err(Error::config(format!("there is no timer {name:?}; there are {}", known.join(", "))));
        };
        **timer = seconds(name, value)?;
        Ok(())
    }

    fn durations(&mut self) -> [(&'static str, &mut Duration); 12] {
        [
            ("connect", &mut self.connect),
            ("write", &mut self.write),
            ("response_header", &mut self.response_header),
            ("read", &mut self.read),
            ("initial_backoff", &mut self.initial_backoff),
            ("max_backoff", &mut self.max_backoff),
            ("max_retry_after", &mut self.max_retry_after),
            ("url_not_found", &mut self.url_not_found),
            ("usage_log", &mut self.usage_log),
            ("tcp_keepalive_idle", &mut self.tcp_keepalive_idle),
            ("tcp_keepalive_interval", &mut self.tcp_keepalive_interval),
            ("tcp_user_timeout", &mut self.tcp_user_timeout),
        ]
    }

    fn bounded(mut self) -> Self {
        for (_, timer) in self.durations() {
            *timer = LONGEST_TIMER.min(*timer);
        }
        self
    }
}

/// Converts a number of seconds into a duration. `name` is the name of the setting, for the error.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if the number is negative, not finite or too large.
pub fn seconds(name: &str, value: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| Error::config(format!("{name}: {value} is no number of seconds; write one that is not negative")))
}

/// The default names of the options in errors.
const OPTION_PROXY: &str = "the option proxy";
const OPTION_CA_FILE: &str = "the option ca_file";

/// Variables of other tools for certificates to trust in addition to the system's. The first that is set and not blank
/// is used.
const CA_BUNDLE_VARIABLES: [&str; 2] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
/// OpenSSL's variables, which replace the system's certificates.
const CA_STORE_FILE: &str = "SSL_CERT_FILE";
pub(crate) const CA_STORE_FOLDERS: &str = "SSL_CERT_DIR";

/// A file or folder of certificates, and the option or variable that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateSource {
    pub(crate) path: PathBuf,
    pub(crate) source: String,
}

/// The certificates to trust.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TrustSettings {
    /// In addition to the store's.
    pub(crate) extra: Option<CertificateSource>,
    /// Whether `extra` was given as an option; otherwise a variable names it.
    pub(crate) in_words: bool,
    /// In place of the system's store. If empty, the system's store is used.
    pub(crate) store: Vec<CertificateSource>,
}

impl TrustSettings {
    fn from_env(ca_file: Option<CertificateSource>) -> Self {
        let named = |name: &'static str| {
            let path = variable(name).map(PathBuf::from);
            path.map(|path| CertificateSource { path, source: name.to_owned() })
        };
        let folders = variable(CA_STORE_FOLDERS).unwrap_or_default();
        let folders = std::env::split_paths(&folders).filter(|path| !path.as_os_str().is_empty());
        let folders = folders.map(|path| CertificateSource { path, source: CA_STORE_FOLDERS.to_owned() });
        Self {
            in_words: ca_file.is_some(),
            extra: ca_file.or_else(|| CA_BUNDLE_VARIABLES.iter().find_map(|name| named(name))),
            store: named(CA_STORE_FILE).into_iter().chain(folders).collect(),
        }
    }

    /// Describes which certificates are trusted.
    fn describe(&self) -> String {
        let store = match &self.store[..] {
            [] => "the system's".to_owned(),
            sources => {
                let mut names: Vec<_> = sources.iter().map(|source| source.source.as_str()).collect();
                names.dedup();
                format!("those of {}", names.join(" and "))
            }
        };
        match &self.extra {
            Some(CertificateSource { path, source }) => {
                format!("{store}, and those in {} (from {source})", crate::text::path(path))
            }
            None => store,
        }
    }
}

/// Configures a client of type `C`, [`Client`](crate::Client) or `blocking::Client`. Start with `Client::builder()`.
/// `build` validates all settings.
///
/// ```
/// use std::time::Duration;
/// use gptimage_core::{Amount, Budget, Client};
///
/// let client = Client::builder()
///     .api_key("sk-0123456789abcdef")
///     .max_attempts(2)
///     .deadline(Duration::from_secs(300))
///     .budget(&Budget::new("5".parse::<Amount>()?))
///     .build()?;
/// assert_eq!(client.base_url(), "https://api.aimlapi.com/v1/");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder<C> {
    /// With its source. The value is as in the environment, so it may not be valid text.
    key: Option<(OsString, String)>,
    base_url: Option<(OsString, String)>,
    allow_http: bool,
    max_attempts: u32,
    deadline: Option<Duration>,
    timers: Timers,
    ca_file: Option<CertificateSource>,
    proxy: Proxy,
    headers: Vec<(String, String)>,
    fetch: bool,
    retry_server_errors: bool,
    abort_on_cancel: bool,
    salvage_max_bytes: u64,
    salvage_folder: Option<PathBuf>,
    max_image_bytes: u64,
    budget: Option<Budget>,
    client: PhantomData<fn() -> C>,
}

impl<C> Default for ClientBuilder<C> {
    fn default() -> Self {
        Self {
            key: None,
            base_url: None,
            allow_http: false,
            max_attempts: 3,
            deadline: None,
            timers: Timers::default(),
            ca_file: None,
            proxy: Proxy::default(),
            headers: Vec::new(),
            fetch: true,
            retry_server_errors: false,
            abort_on_cancel: false,
            salvage_max_bytes: 256 << 20,
            salvage_folder: None,
            max_image_bytes: 64 << 20,
            budget: None,
            client: PhantomData,
        }
    }
}

impl<C> ClientBuilder<C> {
    /// Reads the key from [`KEY_VARIABLES`] and the base URL from [`BASE_URL_VARIABLES`], if they are set. Later calls
    /// of setters override them. `OPENAI_API_KEY` is never read, because that key belongs to another service.
    pub fn read_env(mut self) -> Self {
        if let Some((name, key)) = first_set(KEY_VARIABLES) {
            self.key = Some((key, name.to_owned()));
        }
        if let Some((name, url)) = first_set(BASE_URL_VARIABLES) {
            self.base_url = Some((url, name.to_owned()));
        }
        self
    }

    /// Sets the API key. It is sent only to the origin of the base URL.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.key = Some((key.into().into(), "the configuration".to_owned()));
        self
    }

    /// Sets the base URL: https, or http on this machine. `/v1` and a trailing slash are optional. The path of an
    /// endpoint, such as in `/v1/images/generations`, is removed with a note in the log. A URL that ends in `#` is used
    /// exactly as given. Default: [`DEFAULT_BASE_URL`].
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some((url.into().into(), "the configuration".to_owned()));
        self
    }

    /// Sets whether plain http to another machine is allowed. It exposes the key to that machine and everything in
    /// between. Default: false.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// Sets the maximum number of attempts per call, at least 1. Only attempts that provably cost nothing are retried.
    /// Default: 3.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// Sets the maximum duration of a call, including all attempts and pauses. Default: none.
    pub fn deadline(mut self, deadline: impl Into<Option<Duration>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Sets all timers. Default: [`Timers::default`].
    pub fn timers(mut self, timers: Timers) -> Self {
        self.timers = timers;
        self
    }

    /// Sets a file (PEM or DER) or a folder of certificates to trust in addition to the system's: those of authorities
    /// or of a single server. It is read once, when the client is built. Default: the file or folder that
    /// `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE` names, if any. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's
    /// certificates.
    pub fn ca_file(self, path: impl Into<PathBuf>) -> Self {
        self.ca_file_from(path, OPTION_CA_FILE)
    }

    /// Sets the certificates like [`ClientBuilder::ca_file`]. Errors refer to the setting as `source`, such as a flag.
    #[doc(hidden)]
    pub fn ca_file_from(mut self, path: impl Into<PathBuf>, source: impl Into<String>) -> Self {
        self.ca_file = Some(CertificateSource { path: path.into(), source: source.into() });
        self
    }

    /// Sets the proxy for all requests, including those to this machine, such as `http://host:3128` or
    /// `socks5h://host:1080`. Default: the proxy that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`
    /// determine, which is never used for this machine.
    ///
    /// Schemes are `http`, `https`, `socks5h` (also `socks`), `socks5`, `socks4a` and `socks4`. With `socks5` and
    /// `socks4` host names are resolved on this machine, with the others by the proxy. A proxy that cannot be used, or
    /// is blank, makes `build` fail; requests never bypass it.
    pub fn proxy(self, url: impl Into<String>) -> Self {
        self.proxy_from(url, OPTION_PROXY)
    }

    /// Sets the proxy like [`ClientBuilder::proxy`]. Errors refer to the setting as `source`, such as a flag.
    #[doc(hidden)]
    pub fn proxy_from(mut self, url: impl Into<String>, source: impl Into<String>) -> Self {
        self.proxy = Proxy::Url { url: url.into(), source: source.into() };
        self
    }

    /// Disables proxies, including those of the environment.
    pub fn no_proxy(mut self) -> Self {
        self.proxy = Proxy::None;
        self
    }

    /// Adds a header to every request to the gateway. It is not sent to the servers from which images are downloaded.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Replaces all headers that were added with [`ClientBuilder::header`].
    pub fn headers(mut self, headers: impl IntoIterator<Item = (String, String)>) -> Self {
        self.headers = headers.into_iter().collect();
        self
    }

    /// Sets whether images that are returned as URLs are downloaded at once. Default: true.
    pub fn fetch(mut self, fetch: bool) -> Self {
        self.fetch = fetch;
        self
    }

    /// Sets whether a 500, 502, 503 or 504 in the gateway's own error format is retried. These are documented as
    /// unbilled, but there is no proof, so a call may be paid for twice. Default: false.
    pub fn retry_server_errors(mut self, retry: bool) -> Self {
        self.retry_server_errors = retry;
        self
    }

    /// Sets whether a call that was cancelled or dropped is aborted even if it may be charged. Default: false: it runs
    /// on, and [`Client::collect`](crate::Client::collect) returns its result.
    pub fn abort_on_cancel(mut self, abort: bool) -> Self {
        self.abort_on_cancel = abort;
        self
    }

    /// Returns whether [`ClientBuilder::abort_on_cancel`] is set.
    #[doc(hidden)]
    pub fn aborts_on_cancel(&self) -> bool {
        self.abort_on_cancel
    }

    /// Sets the maximum size, in bytes, of the results kept in memory for `collect`. Default: 256 MiB.
    pub fn salvage_max_bytes(mut self, bytes: u64) -> Self {
        self.salvage_max_bytes = bytes;
        self
    }

    /// Sets a folder that keeps results for `collect`, in place of memory and across processes: any client with this
    /// folder can collect them. It is created if it does not exist. Its files do not contain the key. Default: none.
    pub fn salvage_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.salvage_folder = Some(folder.into());
        self
    }

    /// Sets the maximum size of a received image, in bytes. Default: 64 MiB.
    pub fn max_image_bytes(mut self, bytes: u64) -> Self {
        self.max_image_bytes = bytes;
        self
    }

    /// Sets a budget, which limits the cost of this client's calls together with those of all other clients of the same
    /// budget. Default: no limit.
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// Validates all settings.
    pub(crate) fn validate(self) -> Result<Settings, Error> {
        let (key, source) = self.key.ok_or_else(|| {
            let variables = KEY_VARIABLES.join(", ");
            Error::config(format!("no API key: none of the variables {variables} is set, and none was given"))
        })?;
        let key = ApiKey::new(as_text(&key, "the API key", &source)?, &source)?;
        require_attempts(self.max_attempts)?;
        let base_url = match &self.base_url {
            Some((url, source)) => as_text(url, "the base URL", source)?,
            None => DEFAULT_BASE_URL,
        };
        let BaseUrl { url: base_url, shown, note } = BaseUrl::parse(base_url, self.allow_http)?;
        if let Some(note) = &note {
            tracing::warn!("{note}");
        }
        Ok(Settings {
            authorization: key.authorization(),
            key,
            billing_url: join(&base_url, &format!("../{BALANCE_PATH}"))?,
            logs_url: join(&base_url, &format!("../{LOGS_PATH}"))?,
            download_guard: DownloadGuard::new(&base_url),
            routes: Routes::resolve(&self.proxy, &base_url, &variable)?,
            trust: TrustSettings::from_env(self.ca_file),
            base_url,
            base_url_shown: shown,
            notes: note.into_iter().collect(),
            max_attempts: self.max_attempts,
            deadline: self.deadline,
            timers: self.timers.bounded(),
            headers: self.headers,
            fetch: self.fetch,
            retry_server_errors: self.retry_server_errors,
            abort_on_cancel: self.abort_on_cancel,
            salvage_max_bytes: self.salvage_max_bytes,
            salvage_folder: self.salvage_folder,
            max_image_bytes: self.max_image_bytes,
            budget: self.budget,
        })
    }
}

impl<C> std::fmt::Debug for ClientBuilder<C> {
    /// Leaves out the key, headers, which may hold secrets, and URLs, which may hold passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("api_key", &self.key.as_ref().map(|(_, source)| format!("set, from {source}")))
            .field("max_attempts", &self.max_attempts)
            .field("deadline", &self.deadline)
            .field("timers", &self.timers)
            .field("fetch", &self.fetch)
            .finish_non_exhaustive()
    }
}

/// The environment variables that the configuration uses, without their values, for diagnosis.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Environment {
    /// The variable that the key is read from.
    pub key: Option<&'static str>,
    /// The variable that the base URL is read from.
    pub base_url: Option<&'static str>,
    /// The variables that name a proxy.
    pub proxies: Vec<&'static str>,
}

impl Environment {
    /// Reports which environment variables are set, never their values.
    pub fn snapshot() -> Self {
        Self {
            key: first_set(KEY_VARIABLES).map(|(name, _)| name),
            base_url: first_set(BASE_URL_VARIABLES).map(|(name, _)| name),
            proxies: PROXY_VARIABLES.iter().copied().filter(|name| variable(name).is_some()).collect(),
        }
    }
}

/// A description, without secrets, of how a client reaches the gateway, for diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// The proxy, with the option or variable that names it; or `none`, with the reason.
    pub proxy: String,
    /// The trusted certificates.
    pub certificates: String,
    /// Notes on settings that were interpreted, such as an endpoint that was removed from the base URL.
    pub notes: Vec<String>,
}

/// A validated configuration.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) authorization: SecretString,
    pub(crate) key: ApiKey,
    pub(crate) base_url: Url,
    pub(crate) billing_url: Url,
    pub(crate) logs_url: Url,
    pub(crate) download_guard: DownloadGuard,
    pub(crate) max_attempts: u32,
    pub(crate) deadline: Option<Duration>,
    pub(crate) timers: Timers,
    pub(crate) routes: Routes,
    pub(crate) trust: TrustSettings,
    /// The base URL in a form that can be given to another client.
    pub(crate) base_url_shown: String,
    /// Notes for users on settings that were interpreted.
    pub(crate) notes: Vec<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) fetch: bool,
    pub(crate) retry_server_errors: bool,
    pub(crate) abort_on_cancel: bool,
    pub(crate) salvage_max_bytes: u64,
    pub(crate) salvage_folder: Option<PathBuf>,
    pub(crate) max_image_bytes: u64,
    pub(crate) budget: Option<Budget>,
}

impl Settings {
    /// Describes how the gateway is reached.
    pub(crate) fn connection(&self) -> Connection {
        Connection {
            proxy: self.routes.to(&self.base_url).to_string(),
            certificates: self.trust.describe(),
            notes: self.notes.clone(),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}

/// Rejects 0 attempts, with which a call would do nothing.
pub(crate) fn require_attempts(attempts: u32) -> Result<(), Error> {
    if attempts == 0 { Err(Error::config("max_attempts: 0 attempts send nothing; allow at least 1")) } else { Ok(()) }
}

/// Appends a path to a validated base URL.
pub(crate) fn join(base_url: &Url, path: &str) -> Result<Url, Error> {
    base_url.join(path).map_err(|error| Error::config(format!("the base URL cannot be extended: {error}")))
}

fn first_set(names: &[&'static str]) -> Option<(&'static str, OsString)> {
    names.iter().find_map(|name| variable(name).map(|value| (*name, value)))
}

/// A variable's value, unless it is unset or blank.
#[allow(clippy::disallowed_methods, reason = "this is the one file that may read the environment")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.to_string_lossy().trim().is_empty())
}

fn as_text<'a>(value: &'a OsStr, what: &str, source: &str) -> Result<&'a str, Error> {
    value.to_str().ok_or_else(|| Error::config(format!("{what} from {source} is not UTF-8; write it again")))
}
