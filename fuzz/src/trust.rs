//! Clients read the system's certificates, which takes longer than all else that is tried here: one is enough.
#![allow(unsafe_code, reason = "the environment is changed before anybody else looks at it")]

use std::sync::Once;

/// Lets this process trust a single certificate, whose key no one has.
pub(crate) fn little() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (mut file, path) = tempfile::NamedTempFile::new().unwrap().keep().unwrap();
        std::io::Write::write_all(&mut file, certificate.cert.pem().as_bytes()).unwrap();
        // SAFETY: no thread of ours runs yet, and none of a test's runner reads or writes the environment.
        unsafe { std::env::set_var("SSL_CERT_FILE", path) };
    });
}
