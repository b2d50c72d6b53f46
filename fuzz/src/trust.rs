//! A small trust store: clients read the system's certificates, which takes longer than everything else that is
//! tested.
#![allow(unsafe_code, reason = "the environment is changed before anybody else looks at it")]

use std::sync::Once;

/// Makes this process trust a single certificate, whose private key is discarded.
pub(crate) fn little() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (mut file, path) = tempfile::NamedTempFile::new().unwrap().keep().unwrap();
        std::io::Write::write_all(&mut file, certificate.cert.pem().as_bytes()).unwrap();
        // SAFETY: none of our threads runs yet, and the test runner's threads do not use the environment.
        unsafe { std::env::set_var("SSL_CERT_FILE", path) };
    });
}
