//! HTTP over TCP and TLS. The only file that names reqwest.
#![allow(clippy::disallowed_types, reason = "this is the one file that may name reqwest")]

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::content_encoding::BodyDecoder;
use super::upload::Upload;
use super::url_guard::{DownloadGuard, is_loopback, is_public};
use crate::config::{Proxy, Settings};
use crate::error::Error;
use crate::file_work::blocking;
use crate::text;
use crate::wire::header;

/// The clients of one configuration: with the key to the gateway, without it to anywhere else.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    gateway: reqwest::Client,
    headers: HeaderMap,
    settings: Arc<Settings>,
    /// Made when something is downloaded: a trust store takes a while to read, and many calls need none.
    downloads: Arc<OnceLock<Result<Downloads, String>>>,
}

/// Clients without credentials and without configured headers, which judge addresses.
#[derive(Debug)]
struct Downloads {
    usual: reqwest::Client,
    /// Past any proxy, for loopback.
    direct: reqwest::Client,
}

/// An exchange that broke.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Whether no connection came about.
    pub(crate) connecting: bool,
    /// The innermost reason, in a few words.
    pub(crate) reason: String,
    /// The system's number of the error underneath.
    pub(crate) os_error: Option<i32>,
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
        if let Proxy::Url(url) = &settings.proxy {
            // Said now, and not at the first download.
            proxy(url)?;
        }
        let extra = extra_certificates(&settings)?;
        let tls = if settings.base_url.scheme() == "https" { trusting(extra)? } else { trusting_only(Vec::new())? };
        Ok(Self {
            gateway: build(&settings, &tls, !is_loopback(&settings.base_url), None)?,
            headers: header_map(&settings.headers)?,
            settings,
            downloads: Arc::default(),
        })
    }

    fn downloads(&self) -> Result<&Downloads, Failure> {
        let made = self.downloads.get_or_init(|| Downloads::new(&self.settings).map_err(|error| error.to_string()));
        made.as_ref().map_err(|reason| Failure { connecting: true, reason: reason.clone(), os_error: None })
    }

    /// The charged exchange. Returns once the answer's head came.
    pub(crate) async fn post(
        &self,
        url: &Url,
        key: &SecretString,
        client_request_id: &str,
        content_type: &str,
        upload: Upload,
    ) -> Result<Answer, Failure> {
        let request = self
            .gateway
            .post(url.clone())
            .headers(self.headers.clone())
            .header(reqwest::header::AUTHORIZATION, sensitive(key)?)
            .header(reqwest::header::ACCEPT, "application/json")
            .header(reqwest::header::ACCEPT_ENCODING, header::IDENTITY)
            .header(reqwest::header::CONTENT_TYPE, content_type)
            .header(header::CLIENT_REQUEST_ID, client_request_id)
            .body(reqwest::Body::wrap(upload));
        send(request).await
    }

    /// A free question to the gateway.
    pub(crate) async fn ask(&self, url: &Url, key: &SecretString) -> Result<Answer, Failure> {
        let request = self
            .gateway
            .get(url.clone())
            .headers(self.headers.clone())
            .header(reqwest::header::AUTHORIZATION, sensitive(key)?)
            .header(reqwest::header::ACCEPT, "application/json")
            .header(reqwest::header::ACCEPT_ENCODING, header::IDENTITY);
        send(request).await
    }

    /// One hop of a download; no credentials go with it. `resume`: from this byte on, of the entity with this tag.
    pub(crate) async fn download(&self, url: &Url, resume: Option<(u64, &str)>) -> Result<Answer, Failure> {
        let downloads = self.downloads()?;
        let client = if is_loopback(url) { &downloads.direct } else { &downloads.usual };
        let mut request = client
            .get(url.clone())
            .header(reqwest::header::ACCEPT, "image/*")
            .header(reqwest::header::ACCEPT_ENCODING, header::IDENTITY);
        if let Some((from, tag)) = resume {
            request =
                request.header(reqwest::header::RANGE, format!("bytes={from}-")).header(reqwest::header::IF_RANGE, tag);
        }
        send(request).await
    }
}

impl Downloads {
    fn new(settings: &Settings) -> Result<Self, Error> {
        let extra = extra_certificates(settings)?;
        // A bare machine has no trust store; a gateway without encryption may link to pictures without.
        let tls = match trusting(extra.clone()) {
            Err(_) if settings.base_url.scheme() == "http" => trusting_only(extra)?,
            tls => tls?,
        };
        let guard = || Some(Guarded { guard: settings.download_guard.clone(), proxies: settings.proxy_hosts.clone() });
        Ok(Self { usual: build(settings, &tls, true, guard())?, direct: build(settings, &tls, false, guard())? })
    }
}

fn build(
    settings: &Settings,
    tls: &rustls::ClientConfig,
    proxied: bool,
    guard: Option<Guarded>,
) -> Result<reqwest::Client, Error> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .http1_only()
        .user_agent(header::USER_AGENT)
        // Redirects are followed by us, each hop judged.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // A connection a call: a stale one can never swallow a paid request.
        .pool_max_idle_per_host(0)
        .tcp_nodelay(true)
        .tcp_keepalive(settings.timers.keepalive_idle)
        .tcp_keepalive_interval(settings.timers.keepalive_interval)
        .tcp_keepalive_retries(settings.timers.keepalive_probes);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    {
        builder = builder.tcp_user_timeout(settings.timers.user_timeout);
    }
    builder = match (&settings.proxy, proxied) {
        (_, false) | (Proxy::None, _) => builder.no_proxy(),
        (Proxy::System, true) => builder,
        (Proxy::Url(url), true) => builder.proxy(proxy(url)?),
    };
    if let Some(guard) = guard {
        builder = builder.dns_resolver(Arc::new(guard));
    }
    builder.build().map_err(|error| Error::config(format!("the HTTP client cannot be set up: {}", reason(&error))))
}

/// The URL may hold a password: neither it nor the error's text is repeated.
fn proxy(url: &str) -> Result<reqwest::Proxy, Error> {
    reqwest::Proxy::all(url).map_err(|_| Error::config("the proxy URL cannot be used; write it as http://host:port"))
}

async fn send(request: reqwest::RequestBuilder) -> Result<Answer, Failure> {
    match request.send().await {
        Ok(response) => Ok(Answer::new(response)),
        Err(error) => Err(Failure::of(&error, error.is_connect())),
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
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let broken = |error: io::Error| Failure {
                connecting: false,
                reason: format!("its compressed body is broken: {}", text::io_reason(&error)),
                os_error: None,
            };
            if let Some(piece) = self.body.next().map_err(broken)? {
                return Ok(Some(piece));
            }
            if self.ended {
                return Ok(None);
            }
            match self.response.chunk().await.map_err(|error| Failure::of(&error, false))? {
                Some(piece) => self.body.push(piece),
                None => {
                    self.ended = true;
                    self.body.end();
                }
            }
        }
    }
}

impl Failure {
    fn of(error: &reqwest::Error, connecting: bool) -> Self {
        let os_error = innermost(error).downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        Self { connecting, reason: reason(error), os_error }
    }
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

fn sensitive(key: &SecretString) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(key.expose_secret()).map_err(|_| Failure {
        connecting: true,
        reason: "the API key fits no header".to_owned(),
        os_error: None,
    })?;
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
        if header::OURS.contains(&name.as_str()) {
            return Err(Error::config(format!("the header {shown} is set by this library; leave it out")));
        }
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            Error::config(format!("the value of the header {shown} holds a character that no header can"))
        })?;
        value.set_sensitive(true);
        map.append(name, value);
    }
    Ok(map)
}

/// The certificates of the configured file.
fn extra_certificates(settings: &Settings) -> Result<Vec<CertificateDer<'static>>, Error> {
    let Some(path) = &settings.ca_file else { return Ok(Vec::new()) };
    let shown = text::path(path);
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| Error::config(format!("the CA file {shown} cannot be read as PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(Error::config(format!("the CA file {shown} holds no certificate")));
    }
    Ok(certificates)
}

type TlsBuilder = rustls::ConfigBuilder<rustls::ClientConfig, rustls::WantsVerifier>;

/// rustls with a provider of our own: the host's process-wide choice is neither used nor changed.
fn tls(provider: Arc<rustls::crypto::CryptoProvider>) -> Result<TlsBuilder, Error> {
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config(format!("TLS cannot be set up: {error}")))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Trusts the system's store, and these certificates beside it.
fn trusting(extra: Vec<CertificateDer<'static>>) -> Result<rustls::ClientConfig, Error> {
    let provider = provider();
    match Verifier::new_with_extra_roots(extra.clone(), provider.clone()) {
        Ok(verifier) => {
            Ok(tls(provider)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
        }
        // A bare machine has no trust store. A CA file of one's own needs none.
        Err(_) if !extra.is_empty() => trusting_only(extra),
        Err(error) => Err(Error::config(format!(
            "no trusted certificates were found on this system ({error}); install its CA certificates or set a CA file"
        ))),
    }
}

/// Trusts these certificates alone.
fn trusting_only(certificates: Vec<CertificateDer<'static>>) -> Result<rustls::ClientConfig, Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    Ok(tls(provider())?.with_root_certificates(roots).with_no_client_auth())
}

async fn lookup(name: &str) -> io::Result<Vec<SocketAddr>> {
    let name = name.to_owned();
    // Not by tokio, which panics where no thread can be started.
    blocking(move || Ok((name.as_str(), 0).to_socket_addrs()?.collect())).await?
}

/// Resolves names for downloads and drops addresses that are not public, so that the checked address is the one
/// connected to.
struct Guarded {
    guard: DownloadGuard,
    /// Names of configured proxies: where those are is the user's business.
    proxies: Vec<String>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let trusted = self.guard.private_allowed || self.proxies.iter().any(|proxy| proxy == name.as_str());
        let gateway = self.guard.gateway.clone();
        Box::pin(async move {
            let found = lookup(name.as_str()).await?;
            let is_private = |address: &SocketAddr| !is_public(address.ip());
            let trusted = trusted
                || (found.iter().any(is_private)
                    && match gateway {
                        // A gateway that is on such an address itself may link to one.
                        Some(gateway) => lookup(&gateway).await.is_ok_and(|found| found.iter().any(is_private)),
                        None => false,
                    });
            let allowed: Vec<_> = found.iter().copied().filter(|address| trusted || !is_private(address)).collect();
            if allowed.is_empty() && !found.is_empty() {
                return Err("the host resolves to a private address, which is not opened".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
