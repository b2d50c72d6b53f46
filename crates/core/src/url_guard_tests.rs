use url::Url;

use super::DownloadGuard;
use crate::base_url::BaseUrl;

fn guard(base: &str) -> DownloadGuard {
    DownloadGuard::new(&BaseUrl::parse(base, true).unwrap().url)
}

fn opens(guard: &DownloadGuard, url: &str) -> bool {
    guard.check(&Url::parse(url).unwrap()).is_ok()
}

#[test]
fn downloads_from_a_public_gateway_stay_public_and_encrypted() {
    let guard = guard("https://api.aimlapi.com");
    for url in ["https://cdn.aimlapi.com/a.png", "https://8.8.8.8/a.png", "https://[2606:4700::1111]/a.png"] {
        assert!(opens(&guard, url), "{url}");
    }
    for url in [
        "http://cdn.aimlapi.com/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "https://user@cdn.aimlapi.com/a.png",
        "https://localhost/a.png",
        "https://a.localhost./a.png",
        "https://127.0.0.1/a.png",
        "https://2130706433/a.png",
        "https://0x7f.1/a.png",
        "https://10.1.2.3/a.png",
        "https://172.16.0.1/a.png",
        "https://192.168.0.1/a.png",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/a.png",
        "https://0.0.0.0/a.png",
        "https://224.0.0.1/a.png",
        "https://255.255.255.255/a.png",
        "https://198.18.0.1/a.png",
        "https://[::1]/a.png",
        "https://[::]/a.png",
        "https://[::ffff:127.0.0.1]/a.png",
        "https://[::ffff:10.0.0.1]/a.png",
        "https://[64:ff9b::a9fe:a9fe]/a.png",
        "https://[2002:7f00:1::]/a.png",
        "https://[fc00::1]/a.png",
        "https://[fe80::1]/a.png",
        "https://[ff02::1]/a.png",
    ] {
        // Threat: request-forgery
        assert!(!opens(&guard, url), "{url}");
    }
}

#[test]
fn a_gateway_on_this_machine_may_link_to_this_machine() {
    let guard = guard("http://127.0.0.1:8080");
    for url in ["http://127.0.0.1:9/a.png", "http://localhost:9/a.png", "https://10.0.0.1/a.png"] {
        assert!(opens(&guard, url), "{url}");
    }
    assert!(!opens(&guard, "file:///etc/passwd"));
}

#[test]
fn half_a_login_is_one() {
    for given in ["https://user@gateway.example", "https://:password@gateway.example"] {
        assert!(BaseUrl::parse(given, true).unwrap_err().message().contains("user information"), "{given}");
        assert!(guard("https://api.aimlapi.com").check(&Url::parse(given).unwrap()).is_err(), "{given}");
    }
}

#[test]
fn networks_end_where_the_registries_say() {
    let is_public = |text: &str| super::is_public(text.parse().unwrap());
    for private in [
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.1",
        "100.64.0.0",
        "100.127.255.255",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.0",
        "192.0.0.255",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2001:db8::1",
        "2002:a00:1::",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "feff::1",
        "ff02::1",
        "ffff::1",
    ] {
        assert!(!is_public(private), "{private}");
    }
    for public in [
        "1.0.0.1",
        "1.18.0.1",
        "1.19.0.1",
        "1.64.0.1",
        "9.255.255.255",
        "99.64.0.1",
        "100.63.255.255",
        "100.128.0.0",
        "192.0.1.0",
        "192.1.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:1.1.1.1",
        "64:ff9b::101:101",
        "2001:db7::1",
        "2002:101:101::",
        "2606:4700::1111",
        "fbff::1",
        "fe00::1",
    ] {
        assert!(is_public(public), "{public}");
    }
}
