//! Which certificates are trusted, and what is said of those that are not.

use std::path::Path;
use std::sync::Arc;

use gptimage_core::{Charge, ErrorKind};
use gptimage_emulator::Fault;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};

use crate::common::{config, judge, pessimistic, request, request_by_url};
use crate::network::{acceptor, address, ca, serve, tls};

/// A server's certificate, signed by itself, in both forms.
struct SelfSigned {
    pem: String,
    der: Vec<u8>,
    acceptor: TlsAcceptor,
}

fn self_signed(name: &str, change: impl FnOnce(&mut CertificateParams)) -> SelfSigned {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    change(&mut params);
    let certificate = params.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    SelfSigned {
        pem: certificate.pem(),
        der: certificate.der().to_vec(),
        acceptor: TlsAcceptor::from(Arc::new(config)),
    }
}

fn authority(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_as_itself_and_nothing_else_is() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    // As `openssl req -x509` makes them, and as careful people do.
    for (name, change) in [
        ("ca", authority as fn(&mut _)),
        ("plain", |_: &mut _| {}),
        ("no", |params: &mut CertificateParams| params.is_ca = IsCa::ExplicitNoCa),
    ] {
        let own = self_signed("localhost", change);
        let port = serve(own.acceptor.clone(), address(&emulator)).await;
        let config = config(&emulator).base_url(format!("https://localhost:{port}"));
        for file in [
            write(folder.path(), &format!("{name}.pem"), &own.pem),
            write(folder.path(), &format!("{name}.der"), &own.der),
        ] {
            let outcome = config.clone().ca_file(&file).build().unwrap().generate(&request()).send().await;
            outcome.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
        // Another of the same name is not it.
        let other = self_signed("localhost", change);
        let file = write(folder.path(), "other.pem", &other.pem);
        let error = config.ca_file(&file).build().unwrap().generate(&request()).send().await.unwrap_err();
        // Threat: listener
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Connection, Charge::NotCharged), "{name}: {error}");
        assert!(error.message().contains("certificate"), "{name}: {error}");
    }
    assert_eq!(emulator.charges(), 6);
    // Its name and its dates count all the same.
    let expired = |params: &mut CertificateParams| {
        authority(params);
        params.not_after = date_time_ymd(2020, 1, 1);
    };
    for (own, said) in [
        (self_signed("example.com", authority), "for another name"),
        (self_signed("example.com", |_| {}), "for another name"),
        (self_signed("localhost", expired), "expired"),
    ] {
        let port = serve(own.acceptor.clone(), address(&emulator)).await;
        let file = write(folder.path(), "own.pem", &own.pem);
        let config = config(&emulator).base_url(format!("https://localhost:{port}")).ca_file(file);
        let error = config.build().unwrap().generate(&request()).send().await.unwrap_err();
        assert!(error.message().contains(said), "{said}: {error}");
    }
    assert_eq!(emulator.charges(), 6);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_not_tried_again_and_the_way_out_is_said() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let (ours, _) = ca(folder.path());
    let port = tls(&emulator, &ours, "localhost", false).await;
    let another = tempfile::tempdir().unwrap();
    let (_, ca_file) = ca(another.path());
    let config = config(&emulator).base_url(format!("https://localhost:{port}")).ca_file(ca_file);
    let client = config.build().unwrap();
    let outcome = client.generate(&request()).send().await;
    judge(&emulator, &outcome, 0).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.charge(), error.attempts().len()), (ErrorKind::Connection, Charge::NotCharged, 1));
    assert!(error.message().contains("--ca-file") && !error.message().contains("try again later"), "{error}");
    let error = client.balance().await.unwrap_err();
    assert!(error.message().contains("--ca-file"), "{error}");
}

#[tokio::test]
async fn a_bundle_a_folder_and_text_around_certificates_are_read() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let (ours, ca_file) = ca(folder.path());
    let port = tls(&emulator, &ours, "localhost", false).await;
    let ours = std::fs::read_to_string(ca_file).unwrap();
    let another = self_signed("another.example", authority).pem;
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let bundles = tempfile::tempdir().unwrap();
    write(bundles.path(), "notes.txt", "no certificate");
    write(bundles.path(), "0a1b2c3d.0", &ours);
    for path in [
        write(folder.path(), "bundle.pem", format!("# Another\r\n{another}\nsubject=Ours\n{ours}")),
        write(folder.path(), "damaged.pem", format!("{broken}{ours}")),
        bundles.path().to_owned(),
    ] {
        let config = config(&emulator).base_url(format!("https://localhost:{port}")).ca_file(&path);
        config.build().unwrap().generate(&request()).send().await.unwrap_or_else(|error| panic!("{path:?}: {error}"));
    }
    for (content, said) in [
        ("", "no certificate"),
        ("no certificate", "no certificate"),
        (broken, "damaged"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "PRIVATE KEY"),
    ] {
        let path = write(folder.path(), "none.pem", content);
        let error = config(&emulator).ca_file_from(&path, "--ca-file").build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let message = error.message();
        assert!(message.contains(said) && message.contains("none.pem") && message.contains("--ca-file"), "{message}");
    }
}

#[tokio::test]
async fn a_ca_file_that_goes_away_later_harms_nothing() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let (ours, ca_file) = ca(folder.path());
    let api = tls(&emulator, &ours, "localhost", false).await;
    let cdn =
        serve(acceptor(&ours, "localhost", false), emulator.cdn_url().trim_start_matches("http://").to_owned()).await;
    let client = config(&emulator).base_url(format!("https://localhost:{api}")).ca_file(&ca_file).build().unwrap();
    std::fs::remove_file(ca_file).unwrap();
    // The picture is where it says, behind TLS of the same authority.
    let plain = config(&emulator).build().unwrap().generate(&request_by_url()).fetch(false).send().await.unwrap();
    let url = plain.image().unwrap().url().unwrap();
    let path = url.strip_prefix(emulator.cdn_url()).unwrap();
    for _ in 0..2 {
        let body = format!(r#"{{"data":[{{"url":"https://localhost:{cdn}{path}"}}]}}"#);
        emulator.fault(Fault::success_body(body));
        client.generate(&request_by_url()).send().await.unwrap();
    }
}
