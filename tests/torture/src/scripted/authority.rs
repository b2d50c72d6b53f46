//! A certificate authority made for one run, and a certificate that it signs.

use std::io;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A certificate authority, and a certificate that it issued for this machine. Cheap to clone.
#[derive(Clone)]
pub struct Authority {
    acceptor: TlsAcceptor,
    pem: Arc<str>,
}

impl Authority {
    /// Creates an authority. Its keys exist only in memory.
    ///
    /// # Errors
    /// If a certificate cannot be made.
    pub fn new() -> io::Result<Self> {
        Self::with_names(["127.0.0.1".to_owned(), "localhost".to_owned()])
    }

    /// Creates an authority whose certificate is for these names and addresses.
    ///
    /// # Errors
    /// Like [`Authority::new`], and if a name is invalid.
    pub fn with_names(names: impl Into<Vec<String>>) -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = KeyPair::generate().and_then(|key| CertifiedIssuer::self_signed(params, key));
        let authority = authority.map_err(io::Error::other)?;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = CertificateParams::new(names).and_then(|params| params.signed_by(&key, &authority));
        let certificate = certificate.map_err(io::Error::other)?;
        let secret = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], secret))
            .map_err(io::Error::other)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), pem: authority.pem().into() })
    }

    /// Returns the authority's own certificate, for clients to trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}
