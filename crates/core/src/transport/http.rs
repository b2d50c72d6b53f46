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

/// The clients of one configuration: with the key to the gateway, without it to anywhere else. All are made at once, before
/// money is spent.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    gateway: reqwest::Client,
    /// The proxy that leads to the gateway.
    via: Option<Arc<ProxyServer>>,
    headers: HeaderMap,
    settings: Arc<Settings>,
    tls: Arc<Tls>,
    downloads: Arc<DownloadClients>,
}

/// Clients without credentials and without configured headers, which check addresses: one for each proxy, and one without.
#[derive(Debug)]
struct DownloadClients {
    direct: reqwest::Client,
    /// Through the proxy for URLs of this scheme.
    proxied: Vec<(&'static str, reqwest::Client)>,
    /// Whether they trust anybody. A bare machine has no trust store, and a gateway without encryption needs none.
    trusting: bool,
}

/// Why an exchange failed: the HTTP library's error, which no other file can name.
#[derive(Debug)]
pub(crate) struct HttpError {
    /// Whether no connection was established.
    pub(crate) connecting: bool,
    /// The innermost reason, in a few words.
    pub(crate) reason: String,
    /// The system's number of the error underneath.
    pub(crate) os_error: Option<i32>,
    /// Whether another try fails, too, until the configuration changes.
    pub(crate) permanent: bool,
    pub(crate) failure: Failure,
}

/// What failed in an exchange, as far as it decides on the advice and on another try.
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
    /// Classifies by the words of the HTTP library and the system, which have no types for most of this.
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

/// An answer: its head, and its body in pieces, decoded if it is compressed.
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

    /// The client for one hop of a download, and the proxy that it goes through.
    fn downloader(&self, url: &Url) -> Result<(reqwest::Client, Option<&Arc<ProxyServer>>), HttpError> {
        let via = match self.settings.routes.to(url) {
            Route::Proxy(server) => Some(server),
            Route::Direct(_) => None,
        };
        let encrypted = url.scheme() == "https" || via.is_some_and(|server| server.is_encrypted());
        if self.downloads.trusting || !encrypted {
            return Ok((self.downloads.to(url, via.is_some())?, via));
        }
        // There was no trust store when the client was made. There may be one now.
        let made = self.tls.config().and_then(|config| DownloadClients::new(&self.settings, &config, true));
        let made = made.map_err(|error| HttpError::to_connect(error.to_string()))?;
        Ok((made.to(url, via.is_some())?, via))
    }

    /// The proxy on the way to the gateway, for an error's text; empty without one.
    pub(crate) fn describe_route(&self) -> String {
        self.via.as_ref().map(|server| format!(" by way of the proxy {server}")).unwrap_or_default()
    }

    /// The charged exchange. Returns once the answer's head came.
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

    /// A free question to the gateway.
    pub(crate) async fn ask(&self, url: &Url, key: &SecretString) -> Result<Answer, HttpError> {
        let request = self.gateway.get(url.clone()).headers(self.headers.clone());
        let request = request.header(header::AUTHORIZATION, sensitive(key)?);
        let request = with_headers(request, header::GATEWAY);
        send(request, self.via.as_ref()).await
    }

    /// One hop of a download; no credentials go with it. `resume`: from this byte on, of the entity with this tag.
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

/// A client that goes by this proxy, or directly. Each is one or the other: the HTTP library decides nothing.
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
        // Redirects are followed here, and each hop is checked.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // A connection a call: a stale one can never swallow a paid request.
        .pool_max_idle_per_host(0)
        .tcp_nodelay(true)
        .tcp_keepalive(settings.timers.tcp_keepalive_idle)
        .tcp_keepalive_interval(settings.timers.tcp_keepalive_interval)
        .tcp_keepalive_retries(settings.timers.tcp_keepalive_probes);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    {
        builder = builder.tcp_user_timeout(settings.timers.tcp_user_timeout);
    }
    // Without it the library looks for proxies itself, and drops those that it cannot read.
    builder = builder.no_proxy();
    if let Some(url) = proxy {
        // The error's text may hold the password.
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

    /// A header's value, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Every value of a header; `None` for one that is no text.
    pub(crate) fn header_values(&self, name: &str) -> impl Iterator<Item = Option<&str>> {
        self.response.headers().get_all(name).into_iter().map(|value| value.to_str().ok())
    }

    /// The body's length, where it is known beforehand.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.response.content_length().filter(|_| !self.is_coded())
    }

    /// Whether the body came compressed: its bytes have other places than on the wire.
    pub(crate) fn is_coded(&self) -> bool {
        self.body.is_coded()
    }

    /// The next piece of the body; `None` at its end. May be dropped and called again.
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

    /// Reads a small body, or as much of it as comes within `limit`, at most `max` bytes.
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
        // What did not come by then is missing.
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

    /// No connection was begun.
    fn to_connect(reason: String) -> Self {
        Self { connecting: true, failure: Failure::of(&reason), reason, os_error: None, permanent: false }
    }

    /// Names the proxy where no connection came about: it may be the one to blame.
    fn with_route(mut self, via: Option<&Arc<ProxyServer>>) -> Self {
        let Some(server) = via.filter(|_| self.connecting) else { return self };
        let login = if server.has_login() { "it takes no user and password" } else { "it wants a user and a password" };
        // The library's words; it has no types for them. What is said instead, and whether that lasts.
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

/// The TLS error underneath, if it is one.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        // An I/O error that wraps another hides it from the chain.
        cause = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The innermost cause: the layers above it only say that something failed.
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

/// Judges configured headers: ours cannot be replaced.
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
    // Not by tokio, which panics where no thread can be started.
    blocking(move || Ok((name.as_str(), 0).to_socket_addrs()?.collect())).await?
}

/// A name in a download's URL that resolves to private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("the host resolves to a private address, which is not opened")]
struct PrivateAddress;

/// Resolves names for downloads and drops addresses that are not public, so that the checked address is the one
/// connected to.
struct GuardedResolver {
    guard: DownloadGuard,
    /// The name of the proxy: where that is is the user's business.
    proxy: Option<String>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let trusted = self.guard.private_allowed || self.proxy.as_deref() == Some(name.as_str());
        let gateway = self.guard.gateway.clone();
        Box::pin(async move {
            // A SOCKS proxy that is given addresses has literals "looked up", too.
            let literal = name.as_str().trim_matches(['[', ']']).parse::<IpAddr>();
            let found = match literal {
                Ok(address) => vec![SocketAddr::new(address, 0)],
                Err(_) => resolve_name(name.as_str()).await?,
            };
            let is_private = |address: &SocketAddr| !is_public(address.ip());
            let trusted = trusted
                || (found.iter().any(is_private)
                    && match gateway {
                        // A gateway that is on such an address itself may link to one.
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
