//! HTTP over TCP and TLS. The only file that names reqwest.
#![allow(clippy::disallowed_types, reason = "this is the one file that may name reqwest")]

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use url::Url;

use super::content_encoding::BodyDecoder;
use super::tls::{Tls, certificate_flaw};
use super::upload::Upload;
use crate::config::Settings;
use crate::error::Error;
use crate::proxy::{ProxyServer, Route};
use crate::runtime::blocking;
use crate::text;
use crate::url_guard::{DownloadGuard, is_public};
use crate::wire::header;

/// The HTTP clients of one configuration: one that sends the key to the gateway, and others without the key for all
/// other hosts. All are created at once, before money is spent.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    gateway: reqwest::Client,
    /// The proxy between this machine and the gateway.
    via: Option<Arc<ProxyServer>>,
    headers: HeaderMap,
    settings: Arc<Settings>,
    tls: Arc<Tls>,
    downloads: Arc<DownloadClients>,
}

/// Clients for downloads, without credentials and configured headers. They check addresses. There is one for each proxy
/// and one without a proxy.
#[derive(Debug)]
struct DownloadClients {
    direct: reqwest::Client,
    /// The clients that use a proxy, by the scheme of the URL.
    proxied: Vec<(&'static str, reqwest::Client)>,
    /// Whether certificates can be verified. A minimal system has no trust store, and a gateway without encryption
    /// needs none.
    trusting: bool,
}

/// Why an exchange failed. Wraps the HTTP library's error, which no other file may name.
#[derive(Debug)]
pub(crate) struct HttpError {
    /// Whether no connection was established.
    pub(crate) connecting: bool,
    /// The innermost cause, in a few words.
    pub(crate) reason: String,
    /// The operating system's number of the underlying error.
    pub(crate) os_error: Option<i32>,
    /// Whether further tries will fail too, until the configuration changes.
    pub(crate) permanent: bool,
    pub(crate) failure: Failure,
}

/// The part of an exchange that failed, as far as it matters for the advice and for another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server's certificate is not accepted.
    Certificate,
    /// The TLS handshake failed otherwise.
    Tls,
    /// The connection to or through the proxy failed.
    Proxy,
    /// The host name could not be resolved.
    Dns,
    /// The host refused the connection or cannot be reached.
    Refused,
    /// The host is at a private address, which downloads do not connect to.
    Forbidden,
    Other,
}

impl Failure {
    /// Classifies by the error texts of the HTTP library and the system, because most of these errors have no types.
    pub(crate) fn of(reason: &str) -> Self {
        let reason = reason.to_ascii_lowercase();
        let words: [(Self, &[&str]); 5] = [
            (Self::Certificate, &["certificate"]),
            (Self::Tls, &["corrupt message", "handshake", "protocol version"]),
            (Self::Proxy, &["tunnel", "proxy"]),
            (Self::Dns, &["lookup", "name or service", "resolve"]),
            (Self::Refused, &["refused", "unreachable", "no route"]),
        ];
        let found = words.into_iter().find(|(_, words)| words.iter().any(|word| reason.contains(word)));
        found.map_or(Self::Other, |(failure, _)| failure)
    }
}

/// A response: its status and headers, and its body in pieces, decompressed if necessary.
#[derive(Debug)]
pub(crate) struct Answer {
    response: reqwest::Response,
    body: BodyDecoder,
    ended: bool,
}

impl Http {
    pub(crate) fn new(settings: Arc<Settings>) -> Result<Self, Error> {
        let tls = Tls::read(&settings.trust)?;
        let via = match settings.routes.to(&settings.base_url) {
            Route::Proxy(server) => Some(server.clone()),
            Route::Direct(_) => None,
        };
        let encrypted =
            settings.base_url.scheme() == "https" || via.as_ref().is_some_and(|server| server.is_encrypted());
        let (config, trusting) = match tls.config() {
            Err(_) if !encrypted => (Tls::trusting_nobody()?, false),
            config => (config?, true),
        };
        let literal = settings.base_url.domain().is_none();
        let proxy = via.as_ref().map(|server| server.url(literal));
        Ok(Self {
            gateway: build(&settings, &config, proxy.as_deref(), None)?,
            via,
            headers: header_map(&settings.headers)?,
            downloads: Arc::new(DownloadClients::new(&settings, &config, trusting)?),
            settings,
            tls: Arc::new(tls),
        })
    }

    /// Returns the client for one URL or redirect of a download, and the proxy that it uses.
    fn downloader(&self, url: &Url) -> Result<(reqwest::Client, Option<&Arc<ProxyServer>>), HttpError> {
        let via = match self.settings.routes.to(url) {
            Route::Proxy(server) => Some(server),
            Route::Direct(_) => None,
        };
        let encrypted = url.scheme() == "https" || via.is_some_and(|server| server.is_encrypted());
        if self.downloads.trusting || !encrypted {
            return Ok((self.downloads.to(url, via.is_some())?, via));
        }
        // There was no trust store when the client was created, but there may be one now.
        let made = self.tls.config().and_then(|config| DownloadClients::new(&self.settings, &config, true));
        let made = made.map_err(|error| HttpError::to_connect(error.to_string()))?;
        Ok((made.to(url, via.is_some())?, via))
    }

    /// Returns a phrase that names the proxy to the gateway, for error messages. Empty without a proxy.
    pub(crate) fn describe_route(&self) -> String {
        self.via.as_ref().map(|server| format!(" by way of the proxy {server}")).unwrap_or_default()
    }

    /// Sends the charged request. Returns once the status and headers came.
    pub(crate) async fn post(
        &self,
        url: &Url,
        key: &SecretString,
        client_request_id: &str,
        content_type: &str,
        upload: Upload,
    ) -> Result<Answer, HttpError> {
        let request = self.gateway.post(url.clone()).headers(self.headers.clone());
        let request = request.header(header::AUTHORIZATION, sensitive(key)?);
        let request = with_headers(request, &header::of_call(content_type, client_request_id));
        let request = request.body(reqwest::Body::wrap(upload));
        send(request, self.via.as_ref()).await
    }

    /// Sends a free request to the gateway.
    pub(crate) async fn ask(&self, url: &Url, key: &SecretString) -> Result<Answer, HttpError> {
        let request = self.gateway.get(url.clone()).headers(self.headers.clone());
        let request = request.header(header::AUTHORIZATION, sensitive(key)?);
        let request = with_headers(request, header::GATEWAY);
        send(request, self.via.as_ref()).await
    }

    /// Requests one URL of a download, without credentials. `resume` asks for the bytes from this position on, if the
    /// entity still has this tag.
    pub(crate) async fn download(&self, url: &Url, resume: Option<(u64, &str)>) -> Result<Answer, HttpError> {
        let (client, via) = self.downloader(url)?;
        let mut request = with_headers(client.get(url.clone()), header::DOWNLOAD);
        if let Some((from, tag)) = resume {
            request = request.header(header::RANGE, header::range_from(from)).header(header::IF_RANGE, tag);
        }
        send(request, via).await
    }
}

impl DownloadClients {
    fn new(settings: &Settings, tls: &rustls::ClientConfig, trusting: bool) -> Result<Self, Error> {
        let guard = |proxy| Some(GuardedResolver { guard: settings.download_guard.clone(), proxy });
        let proxied = settings.routes.servers().map(|(scheme, server)| {
            let guard = guard(Some(server.host().to_owned()));
            Ok((scheme, build(settings, tls, Some(&server.url(false)), guard)?))
        });
        Ok(Self {
            direct: build(settings, tls, None, guard(None))?,
            proxied: proxied.collect::<Result<_, Error>>()?,
            trusting,
        })
    }

    fn to(&self, url: &Url, proxied: bool) -> Result<reqwest::Client, HttpError> {
        if !proxied {
            return Ok(self.direct.clone());
        }
        let found = self.proxied.iter().find(|(scheme, _)| *scheme == url.scheme());
        found.map(|(_, client)| client.clone()).ok_or_else(|| HttpError::to_connect("no proxy leads there".to_owned()))
    }
}

/// Builds a client that always uses this proxy, or none. The HTTP library itself never decides about proxies.
fn build(
    settings: &Settings,
    tls: &rustls::ClientConfig,
    proxy: Option<&str>,
    guard: Option<GuardedResolver>,
) -> Result<reqwest::Client, Error> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .http1_only()
        .user_agent(header::PRODUCT)
        // Redirects are followed by our own code, which checks each of them.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // Each call has its own connection, so that a stale one can never swallow a paid request.
        .pool_max_idle_per_host(0)
        .tcp_nodelay(true)
        .tcp_keepalive(settings.timers.tcp_keepalive_idle)
        .tcp_keepalive_interval(settings.timers.tcp_keepalive_interval)
        .tcp_keepalive_retries(settings.timers.tcp_keepalive_probes);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    {
        builder = builder.tcp_user_timeout(settings.timers.tcp_user_timeout);
    }
    // Otherwise the library looks for proxies itself and ignores those that it cannot parse.
    builder = builder.no_proxy();
    if let Some(url) = proxy {
        // The text of this error may contain the password.
        let proxy = reqwest::Proxy::all(url).map_err(|_| Error::config("the proxy cannot be used"))?;
        builder = builder.proxy(proxy);
    }
    if let Some(guard) = guard {
        builder = builder.dns_resolver(Arc::new(guard));
    }
    builder.build().map_err(|error| Error::config(format!("the HTTP client cannot be set up: {}", reason(&error))))
}

fn with_headers(request: reqwest::RequestBuilder, headers: &[(&str, &str)]) -> reqwest::RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

async fn send(request: reqwest::RequestBuilder, via: Option<&Arc<ProxyServer>>) -> Result<Answer, HttpError> {
    match request.send().await {
        Ok(response) => Ok(Answer::new(response)),
        Err(error) => Err(HttpError::of(&error, error.is_connect()).with_route(via)),
    }
}

impl Answer {
    fn new(response: reqwest::Response) -> Self {
        let coding = response.headers().get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        Self { body: BodyDecoder::new(coding), response, ended: false }
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Returns a header's value, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Returns every value of a header, with `None` for one that is not text.
    pub(crate) fn header_values(&self, name: &str) -> impl Iterator<Item = Option<&str>> {
        self.response.headers().get_all(name).into_iter().map(|value| value.to_str().ok())
    }

    /// Returns the length of the body, if it is known in advance.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.response.content_length().filter(|_| !self.is_coded())
    }

    /// Returns whether the body is compressed. Then positions in it differ from those on the wire.
    pub(crate) fn is_coded(&self) -> bool {
        self.body.is_coded()
    }

    /// Returns the next piece of the body, or `None` at its end. Cancel-safe.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            let broken = |error: io::Error| HttpError {
                connecting: false,
                reason: format!("its compressed body is broken: {}", text::io_reason(&error)),
                os_error: None,
                permanent: false,
                failure: Failure::Other,
            };
            if let Some(piece) = self.body.next().map_err(broken)? {
                return Ok(Some(piece));
            }
            if self.ended {
                return Ok(None);
            }
            match self.response.chunk().await.map_err(|error| HttpError::of(&error, false))? {
                Some(piece) => self.body.push(piece),
                None => {
                    self.ended = true;
                    self.body.end();
                }
            }
        }
    }

    /// Reads a small body, or the part of it that comes within `limit`, up to `max` bytes.
    pub(crate) async fn read_bounded(&mut self, limit: Duration, max: usize) -> Vec<u8> {
        let mut body = Vec::new();
        let reading = async {
            while let Ok(Some(chunk)) = self.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() >= max {
                    break;
                }
            }
        };
        // After a timeout, the rest is simply missing.
        let _ = timeout(limit, reading).await;
        body.truncate(max);
        body
    }
}

impl HttpError {
    fn of(error: &reqwest::Error, connecting: bool) -> Self {
        let os_error = innermost(error).downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        let flaw = tls_error(error).and_then(certificate_flaw).filter(|_| connecting);
        let permanent = flaw.is_some();
        let reason = flaw.unwrap_or_else(|| reason(error));
        let failure = match innermost(error).downcast_ref::<PrivateAddress>() {
            Some(PrivateAddress) => Failure::Forbidden,
            None if permanent => Failure::Certificate,
            None => Failure::of(&reason),
        };
        Self { connecting, reason, os_error, permanent, failure }
    }

    /// Creates the error of a connection that was not even attempted.
    fn to_connect(reason: String) -> Self {
        Self { connecting: true, failure: Failure::of(&reason), reason, os_error: None, permanent: false }
    }

    /// Names the proxy if no connection was established, because the proxy may be the cause.
    fn with_route(mut self, via: Option<&Arc<ProxyServer>>) -> Self {
        let Some(server) = via.filter(|_| self.connecting) else { return self };
        let login = if server.has_login() { "it takes no user and password" } else { "it wants a user and a password" };
        // The library has no types for these errors: its text, our text for it, and whether it is permanent.
        let refusals = [
            ("proxy authorization required", "it wants a user and a password that it knows (407)", true),
            ("credentials not accepted", "it does not accept this user and password", true),
            ("does not support user/pass", login, true),
            ("tunnel error: unsuccessful", "it refuses to connect to the server", false),
            ("tunnel error: unexpected end of file", "it hung up instead of connecting to the server", false),
            ("connection not allowed", "it does not allow this connection", false),
            ("failed parsing server response", "it does not answer as such a proxy does; check its scheme", false),
            ("failed to create underlying connection", "it cannot be reached", false),
        ];
        if let Some((_, said, permanent)) = refusals.into_iter().find(|(words, ..)| self.reason.contains(words)) {
            self.reason = said.to_owned();
            self.permanent = permanent;
            self.failure = Failure::Proxy;
        }
        if !matches!(self.failure, Failure::Certificate | Failure::Tls | Failure::Forbidden) {
            self.failure = Failure::Proxy;
        }
        self.reason = format!("by way of the proxy {server}: {}", self.reason);
        self
    }
}

/// Returns the underlying TLS error, if there is one.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        // `source()` skips an error that is wrapped in an I/O error.
        cause = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Returns the innermost cause. The outer layers only say that something failed.
fn innermost<'a>(error: &'a reqwest::Error) -> &'a (dyn std::error::Error + 'static) {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}

fn reason(error: &reqwest::Error) -> String {
    let cause = innermost(error);
    let said = match cause.downcast_ref::<io::Error>() {
        Some(error) => text::io_reason(error),
        None => cause.to_string(),
    };
    text::shorten(&said, 200)
}

fn sensitive(key: &SecretString) -> Result<HeaderValue, HttpError> {
    let mut value = HeaderValue::from_str(key.expose_secret())
        .map_err(|_| HttpError::to_connect("the API key fits no header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Validates configured headers, which must not replace our own.
fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let shown = text::shorten(name, 60);
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Error::config(format!("{shown:?} is no header name")))?;
        if header::RESERVED.contains(&name.as_str()) {
            return Err(Error::config(format!("the header {shown} is set by this library; leave it out")));
        }
        if header::HARMFUL.contains(&name.as_str()) {
            return Err(Error::config(format!(
                "the header {shown} could make a paid answer unreadable or go astray; leave it out"
            )));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            Error::config(format!("the value of the header {shown} holds a character that no header can"))
        })?;
        value.set_sensitive(true);
        map.append(name, value);
    }
    Ok(map)
}

async fn resolve_name(name: &str) -> io::Result<Vec<SocketAddr>> {
    let name = name.to_owned();
    // tokio's own lookup panics if no thread can be started.
    blocking(move || Ok((name.as_str(), 0).to_socket_addrs()?.collect())).await?
}

/// The error of a download URL whose host resolves to private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("the host resolves to a private address, which is not opened")]
struct PrivateAddress;

/// Resolves names for downloads and drops addresses that are not public, so that the checked address is the one
/// connected to.
struct GuardedResolver {
    guard: DownloadGuard,
    /// The host name of the proxy. The user may have chosen a private address for it.
    proxy: Option<String>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let trusted = self.guard.private_allowed || self.proxy.as_deref() == Some(name.as_str());
        let gateway = self.guard.gateway.clone();
        Box::pin(async move {
            // A SOCKS proxy that is given addresses makes the library "look up" IP addresses too.
            let literal = name.as_str().trim_matches(['[', ']']).parse::<IpAddr>();
            let found = match literal {
                Ok(address) => vec![SocketAddr::new(address, 0)],
                Err(_) => resolve_name(name.as_str()).await?,
            };
            let is_private = |address: &SocketAddr| !is_public(address.ip());
            let trusted = trusted
                || (found.iter().any(is_private)
                    && match gateway {
                        // A gateway that is itself at a private address may link to one.
                        Some(gateway) => resolve_name(&gateway).await.is_ok_and(|found| found.iter().any(is_private)),
                        None => false,
                    });
            let allowed: Vec<_> = found.iter().copied().filter(|address| trusted || !is_private(address)).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
