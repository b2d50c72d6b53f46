//! Which base URLs and image links are opened, compared with a second list of networks that are not public.

use std::net::{IpAddr, Ipv4Addr};

use gptimage_core::internals::{base_url, is_public, may_download};
use url::{Host, Url};

const GATEWAY: &str = "https://api.aimlapi.com/v1/";

/// Tests a base URL, up to a line break, and a link. The first byte says whether http is allowed.
pub fn url_guard(data: &[u8]) {
    let Some((&first, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let (base, link) = text.split_once('\n').unwrap_or((&text, ""));
    let allow_http = first & 1 == 1;
    if let Ok(settled) = base_url(base, allow_http) {
        judge_base(&settled, allow_http);
        may_download(&settled, link);
    }
    if let Some(Ok(())) = may_download(GATEWAY, link) {
        judge_link(&link.parse().unwrap());
    }
    if let Ok(ip) = link.trim().parse::<IpAddr>() {
        assert!(!is_public(ip) || !is_private(ip), "{ip} is not public");
    }
}

fn judge_base(settled: &str, allow_http: bool) {
    assert_eq!(base_url(settled, allow_http).unwrap(), settled, "settled once, it stays");
    let url: Url = settled.parse().unwrap();
    assert!(url.path().ends_with('/') && url.query().is_none(), "{settled}");
    // An empty fragment marks a base URL that is used unchanged.
    assert!(url.fragment().is_none_or(str::is_empty), "{settled}");
    assert!(url.username().is_empty() && url.password().is_none(), "{settled}");
    let loopback = match url.host().unwrap() {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.to_canonical().is_loopback(),
    };
    assert!(url.scheme() == "https" || (url.scheme() == "http" && (allow_http || loopback)), "{settled}");
}

/// Checks a link that a public gateway may return for an image.
fn judge_link(url: &Url) {
    assert_eq!(url.scheme(), "https");
    assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    match url.host().unwrap() {
        Host::Domain(name) => assert_ne!(name.trim_end_matches('.'), "localhost", "{url}"),
        Host::Ipv4(ip) => assert!(!is_private(ip.into()), "{url}"),
        Host::Ipv6(ip) => assert!(!is_private(ip.into()), "{url}"),
    }
}

/// Networks that IANA lists as not part of the public internet.
const PRIVATE: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::new(255, 255, 255, 255), 32),
];

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => PRIVATE.iter().any(|(network, bits)| {
            let mask = u32::MAX << (32 - bits);
            u32::from(ip) & mask == u32::from(*network) & mask
        }),
        IpAddr::V6(ip) => {
            let number = u128::from(ip);
            let begins = |with: u128, bits: u32| number >> (128 - bits) == with >> (128 - bits);
            let embedded = |shift: u32| {
                #[allow(clippy::cast_possible_truncation, reason = "the address is the low half")]
                let address = (number >> shift) as u32;
                is_private(Ipv4Addr::from(address).into())
            };
            (begins(0, 80) && number <= 1)
                || (begins(0xffff << 32, 96) && embedded(0))
                || (begins(0, 96) && embedded(0))
                || (begins(0x64_ff9b << 96, 96) && embedded(0))
                || begins(0x64_ff9b_0001 << 80, 48)
                || (begins(0x2002 << 112, 16) && embedded(80))
                || begins(0x2001_0db8 << 96, 32)
                || begins(0xfc << 120, 7)
                || begins(0xfe80 << 112, 10)
                || begins(0xfec0 << 112, 10)
                || begins(0xff << 120, 8)
        }
    }
}
