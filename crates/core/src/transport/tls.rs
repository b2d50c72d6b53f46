//! Determines which certificates are trusted. All files are read when a client is created, so that removing them later
//! does no harm.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::slice;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio::time::Instant;

use crate::config::{CA_STORE_FOLDERS, CertificateSource, TrustSettings};
use crate::error::Error;
use crate::text;

/// Maximum length of a certificate file, in bytes. Reading a device might never end.
const LONGEST: u64 = 64 << 20;

/// The certificates that were read.
#[derive(Clone)]
pub(super) struct Tls {
    /// Certificates that are trusted in addition to the system's store, and those that replace it.
    groups: Vec<Group>,
    /// Whether the system's store is trusted.
    system: bool,
}

/// Certificates from one configured source.
#[derive(Clone)]
struct Group {
    own: Arc<Vec<CertificateDer<'static>>>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<_> = self.groups.iter().map(|group| group.own.len()).collect();
        f.debug_struct("Tls").field("own", &counts).field("system", &self.system).finish()
    }
}

impl Tls {
    /// Reads the certificates that the settings name.
    pub(super) fn read(trust: &TrustSettings) -> Result<Self, Error> {
        let mut groups = Vec::new();
        if let Some(extra) = &trust.extra {
            let sources = slice::from_ref(extra);
            let read = || read(extra);
            groups.push(if trust.in_words { Group::new(read()?)? } else { remembered(sources, read)? });
        }
        if !trust.store.is_empty() {
            match remembered(&trust.store, || read_store(&trust.store)) {
                Ok(group) => groups.push(group),
                // The explicitly configured certificates are enough.
                Err(error) if trust.in_words => tracing::warn!("{error}"),
                Err(error) => return Err(error),
            }
        }
        Ok(Self { groups, system: trust.store.is_empty() })
    }

    /// Returns a rustls configuration with our own crypto provider, so that the host's process-wide one is neither used
    /// nor changed.
    pub(super) fn config(&self) -> Result<ClientConfig, Error> {
        let verifier = self.verifier()?;
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(unavailable)?;
        Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
    }

    /// Returns a configuration that trusts no certificate, for unencrypted connections.
    pub(super) fn trusting_nobody() -> Result<ClientConfig, Error> {
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.map_err(unavailable)?;
        Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
    }

    fn verifier(&self) -> Result<Verifiers, Error> {
        let mut verifiers: Vec<Arc<dyn ServerCertVerifier>> = Vec::new();
        // These come first, because the system's verifier logs its errors.
        verifiers.extend(self.groups.iter().map(|group| group.verifier.clone() as _));
        if self.system {
            match systems() {
                Ok(verifier) => verifiers.push(verifier),
                // A minimal system has no trust store, and an explicitly configured CA file needs none.
                Err(_) if !verifiers.is_empty() => {}
                Err(error) => {
                    return Err(Error::config(format!(
                        "no trusted certificates were found on this system ({error}); install its CA certificates or \
                         set a CA file"
                    )));
                }
            }
        }
        match verifiers.split_first() {
            Some((first, others)) => {
                let own = self.groups.iter().map(|group| group.own.clone()).collect();
                Ok(Verifiers { first: first.clone(), others: others.to_vec(), own })
            }
            None => Err(Error::config("no certificate is trusted; set a CA file")),
        }
    }
}

impl Group {
    fn new(own: Vec<CertificateDer<'static>>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(own.iter().cloned());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        Ok(Self { own: Arc::new(own), verifier: verifier.map_err(unavailable)? })
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn unavailable(error: impl fmt::Display) -> Error {
    Error::config(format!("TLS cannot be set up: {error}"))
}

/// How long certificates of the system and of environment variables are cached, because reading them takes a while. Not
/// longer, so that a process that runs for months sees replaced certificates.
const FRESH: Duration = Duration::from_secs(60);

/// A cache of what was read, by its source. Failures are not cached. In a forked child the lock may be held for ever,
/// so the code never waits for it.
type Memory<K, V> = Mutex<Vec<(Instant, K, V)>>;

fn recall<K: PartialEq, V: Clone>(memory: &Memory<K, V>, key: &K) -> Option<V> {
    let known = memory.try_lock().ok()?;
    known.iter().find(|(at, known, _)| known == key && at.elapsed() < FRESH).map(|(.., value)| value.clone())
}

fn remember<K: PartialEq, V>(memory: &Memory<K, V>, key: K, value: V) {
    if let Ok(mut known) = memory.try_lock() {
        known.retain(|(at, known, _)| *known != key && at.elapsed() < FRESH);
        known.push((Instant::now(), key, value));
    }
}

/// Returns the certificates that environment variables name, from the cache if possible.
fn remembered(
    sources: &[CertificateSource],
    read: impl FnOnce() -> Result<Vec<CertificateDer<'static>>, Error>,
) -> Result<Group, Error> {
    static MEMORY: Memory<Vec<CertificateSource>, Group> = Mutex::new(Vec::new());
    let key = sources.to_vec();
    if let Some(group) = recall(&MEMORY, &key) {
        return Ok(group);
    }
    let group = Group::new(read()?)?;
    remember(&MEMORY, key, group.clone());
    Ok(group)
}

/// Returns the verifier of the system's store, from the cache if possible.
fn systems() -> Result<Arc<Verifier>, rustls::Error> {
    static MEMORY: Memory<(), Arc<Verifier>> = Mutex::new(Vec::new());
    if let Some(verifier) = recall(&MEMORY, &()) {
        return Ok(verifier);
    }
    let verifier = Arc::new(Verifier::new(provider())?);
    remember(&MEMORY, (), verifier.clone());
    Ok(verifier)
}

/// Accepts a certificate that any of its verifiers accepts, and also a server's own certificate that the user trusts
/// directly, byte for byte. The latter is needed because `openssl req -x509` creates CA certificates, which webpki does
/// not accept from a server.
#[derive(Debug)]
struct Verifiers {
    first: Arc<dyn ServerCertVerifier>,
    others: Vec<Arc<dyn ServerCertVerifier>>,
    own: Vec<Arc<Vec<CertificateDer<'static>>>>,
}

impl Verifiers {
    /// Returns whether the certificate is trusted directly and the issuer is its only flaw. webpki checks the validity
    /// period before the issuer; the name is checked here.
    fn is_trusted_as_itself(
        &self,
        certificate: &CertificateDer<'_>,
        name: &ServerName<'_>,
        error: &rustls::Error,
    ) -> Result<bool, rustls::Error> {
        if !is_of_descent(error)
            || !self.own.iter().flat_map(|own| own.iter()).any(|own| own.as_ref() == certificate.as_ref())
        {
            return Ok(false);
        }
        verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
        Ok(true)
    }
}

/// Returns whether the issuer is the certificate's only flaw.
fn is_of_descent(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => is_authoritys(other),
        _ => false,
    }
}

/// Returns whether the error means that a server presented a CA certificate. rustls has no variant for it.
fn is_authoritys(error: &rustls::OtherError) -> bool {
    error.to_string() == "CaUsedAsEndEntity"
}

impl ServerCertVerifier for Verifiers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.first.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let error = match verified {
            Err(error) if self.is_trusted_as_itself(end_entity, server_name, &error)? => {
                return Ok(ServerCertVerified::assertion());
            }
            Err(error) => error,
            accepted => return accepted,
        };
        let mut flaw = error;
        for other in &self.others {
            match other.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
                // A self-signed certificate that the user trusts, in another group.
                Err(error) if self.is_trusted_as_itself(end_entity, server_name, &error)? => {
                    return Ok(ServerCertVerified::assertion());
                }
                // A verifier that knows the issuer gives the better error.
                Err(error) if is_of_descent(&flaw) => flaw = error,
                Err(_) => {}
                accepted => return accepted,
            }
        }
        Err(flaw)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.first.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.first.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.first.supported_verify_schemes()
    }
}

/// Reads the certificates that replace the system's store.
fn read_store(sources: &[CertificateSource]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut store = Vec::new();
    let mut failed = None;
    for source in sources {
        match read(source) {
            Ok(mut certificates) => store.append(&mut certificates),
            // Such folders are often listed next to a file or to each other, and need not exist.
            Err(error) if source.source == CA_STORE_FOLDERS => {
                failed.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    match failed {
        Some(error) if store.is_empty() => Err(error),
        _ => Ok(store),
    }
}

/// Reads the certificates of a file or folder. It is an error if there are none.
fn read(source: &CertificateSource) -> Result<Vec<CertificateDer<'static>>, Error> {
    let CertificateSource { path, source } = source;
    let shown = text::path(path);
    let refused = |what: &str| Error::config(format!("the CA file {shown} (from {source}) {what}"));
    let unreadable = |error: std::io::Error| refused(&format!("cannot be read: {}", text::io_reason(&error)));
    if path.is_dir() {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)?.flatten() {
            // Folders also contain notes, revocation lists and broken links.
            if entry.path().is_file()
                && let Ok(bytes) = contents(&entry.path())
            {
                found.extend(certificates(&bytes).unwrap_or_default());
            }
        }
        // Each certificate also appears as a link named after its hash.
        found.sort_unstable_by(|one: &CertificateDer<'_>, other| one.as_ref().cmp(other.as_ref()));
        found.dedup();
        return if found.is_empty() { Err(refused("is a folder without certificates")) } else { Ok(found) };
    }
    certificates(&contents(path).map_err(unreadable)?).map_err(|flaw| refused(&flaw))
}

fn contents(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Parses the certificates of a PEM text, or a single one in DER form.
fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let begin = memchr::memmem::find(bytes, BEGIN);
    let found: Vec<_> = match begin {
        Some(_) => {
            CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok).map(CertificateDer::into_owned).collect()
        }
        None => vec![CertificateDer::from(bytes.to_vec())],
    };
    let held = found.len();
    let usable: Vec<_> = found.into_iter().filter(|found| RootCertStore::empty().add(found.clone()).is_ok()).collect();
    if !usable.is_empty() {
        return Ok(usable);
    }
    let label = begin.and_then(|begin| bytes.get(begin + BEGIN.len()..)).and_then(|rest| {
        let end = memchr::memmem::find(rest, b"-----")?;
        std::str::from_utf8(rest.get(..end)?).ok()
    });
    Err(match label {
        Some("CERTIFICATE") if held > 0 => "holds no certificate that can be trusted: it is damaged".to_owned(),
        Some("CERTIFICATE") | None => "holds no certificate in PEM or DER form".to_owned(),
        Some(label) => format!("holds no certificate, but {}; give the certificate itself", text::shorten(label, 40)),
    })
}

/// Says why a server's certificate is not accepted and what to do, if that is why a connection failed. Another try
/// would fail too.
pub(super) fn certificate_flaw(error: &rustls::Error) -> Option<String> {
    let rustls::Error::InvalidCertificate(error) = error else { return None };
    let (flaw, way_out) = match error {
        // `BadSignature` means that the issuer has the name of a trusted one, but not its key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "signed by nobody that is trusted here",
            "if it is your own or your company's, give its CA by ca_file (--ca-file); whoever opens TLS on the way, such as \
             a company's proxy, has a CA, too",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("expired", "the server needs a new one, or this machine's clock is wrong")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("not valid yet", "this machine's clock may be wrong")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "for another name",
            "check the host; a certificate of your own needs it as subjectAltName (openssl req -x509 -addext \
             subjectAltName=DNS:host)",
        ),
        CertificateError::Revoked => ("revoked", "the server needs a new one"),
        CertificateError::Other(other) if is_authoritys(other) => (
            "that of an authority, and not trusted here as itself",
            "give just this one by ca_file (--ca-file), or make one for the server with basicConstraints=CA:FALSE",
        ),
        _ => {
            return Some(format!(
                "the server's certificate is not accepted: {}",
                text::shorten(&error.to_string(), 200)
            ));
        }
    };
    Some(format!("the server's certificate is {flaw}; {way_out}"))
}
