//! Between the client and the gateway: TLS, a CA of one's own, plain http.

use std::path::Path;
use std::sync::Arc;

use gptimage_core::{Charge, Client, ErrorKind, Phase};
use gptimage_emulator::Emulator;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};

use crate::common::{config, judge, pessimistic, request, timers};

pub(crate) fn address(emulator: &Emulator) -> String {
    emulator.base_url().trim_start_matches("http://").trim_end_matches("/v1").to_owned()
}

pub(crate) type Ca = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn ca(folder: &Path) -> (Ca, std::path::PathBuf) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let path = folder.join("ca.pem");
    std::fs::write(&path, ca.pem()).unwrap();
    (ca, path)
}

/// TLS in front of the emulator; returns its port.
pub(crate) async fn tls(emulator: &Emulator, ca: &Ca, name: &str, expired: bool) -> u16 {
    serve(acceptor(ca, name, expired), address(emulator)).await
}

/// A server's side of TLS, with a certificate for this name.
pub(crate) fn acceptor(ca: &Ca, name: &str, expired: bool) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    if expired {
        params.not_after = date_time_ymd(2020, 1, 1);
    }
    let certificate = params.signed_by(&key, ca).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// TLS in front of an address; returns its port.
pub(crate) async fn serve(acceptor: TlsAcceptor, to: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, to) = (acceptor.clone(), to.clone());
            tokio::spawn(async move {
                let mut inside = acceptor.accept(socket).await?;
                copy_bidirectional(&mut inside, &mut TcpStream::connect(to).await?).await
            });
        }
    });
    port
}

#[tokio::test]
async fn a_ca_of_ones_own_is_trusted_and_no_other() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let (ca, ca_file) = ca(folder.path());
    let port = tls(&emulator, &ca, "localhost", false).await;
    let config = config(&emulator).base_url(format!("https://localhost:{port}"));

    let outcome = config.clone().ca_file(&ca_file).build().unwrap().generate(&request()).send().await;
    judge(&emulator, &outcome, 1).await;
    outcome.unwrap();

    // Without it the certificate is nobody's: refused before anything is sent.
    match config.max_attempts(1).build() {
        Ok(client) => {
            let error = client.generate(&request()).send().await.unwrap_err();
            assert_eq!((error.kind(), error.charge()), (ErrorKind::Connection, Charge::NotCharged));
            assert_eq!((error.attempts()[0].phase, error.attempts()[0].bytes_sent), (Phase::Connecting, 0));
        }
        // A bare machine trusts nobody and says so.
        Err(error) => assert!(error.message().contains("trusted certificates"), "{error}"),
    }
}

#[tokio::test]
async fn a_certificate_that_is_expired_or_anothers_is_refused() {
    for (name, expired) in [("localhost", true), ("example.com", false)] {
        let emulator = pessimistic().await;
        let folder = tempfile::tempdir().unwrap();
        let (ca, ca_file) = ca(folder.path());
        let port = tls(&emulator, &ca, name, expired).await;
        let config = config(&emulator).base_url(format!("https://localhost:{port}")).ca_file(ca_file).max_attempts(2);
        let error = config.build().unwrap().generate(&request()).send().await.unwrap_err();
        // Threat: listener
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Connection, Charge::NotCharged), "{error}");
        assert!(error.message().contains("certificate"), "{error}");
        assert!(emulator.ledger().is_empty());
    }
}

#[test]
fn a_ca_file_that_is_none_is_a_configuration_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    for content in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")] {
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let error = Client::builder().api_key("sk").ca_file(&path).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.message().contains("ca.pem"), "{error}");
    }
}

#[test]
fn plain_http_to_elsewhere_needs_words() {
    let config = || Client::builder().api_key("sk").timers(timers());
    let error = config().base_url("http://gateway.example").build().unwrap_err();
    // Threat: key-in-clear
    assert!(error.message().contains("allow_http"), "{error}");
    config().base_url("http://gateway.example").allow_http(true).build().unwrap();
}

#[tokio::test]
async fn every_charged_call_has_a_connection_of_its_own() {
    let emulator = pessimistic().await;
    let client = crate::common::client(&emulator);
    for _ in 0..5 {
        client.generate(&request()).send().await.unwrap();
    }
    // Threat: hidden-repeat
    assert_eq!(emulator.connections(), 5);
}
