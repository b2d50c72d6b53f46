//! Parses `NO_PROXY`, the hosts that are reached without the environment's proxies, with the rules of curl and Go.
//!
//! Entries are separated by commas or blanks. `*` matches every host; `example.com` and `.example.com` match that name
//! and all names below it; `*.example.com` matches only the names below it; an address or a network (`10.0.0.0/8`)
//! matches itself. A port after any of them (`host:443`, `[::1]:8080`) restricts the match to that port. An entry that
//! cannot be read exempts nothing.

use std::net::IpAddr;

use url::{Host, Url};

/// A parsed list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoProxy(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// Names below this one, and the name itself if `itself` is true.
    Below {
        name: String,
        itself: bool,
    },
    /// Addresses that begin with the first bits of this one; the number is how many.
    Network(IpAddr, u32),
}

impl NoProxy {
    pub(crate) fn parse(list: &str) -> Self {
        let split = |char: char| char == ',' || char.is_whitespace();
        Self(list.split(split).filter(|entry| !entry.is_empty()).filter_map(Entry::parse).collect())
    }

    /// Returns whether `url` is reached without a proxy.
    pub(crate) fn covers(&self, url: &Url) -> bool {
        let Some(host) = url.host() else { return false };
        let port = url.port_or_known_default();
        let matches = |entry: &Entry| entry.port.is_none_or(|only| Some(only) == port) && entry.hosts.contain(&host);
        self.0.iter().any(matches)
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some(hosts) = Hosts::parse(text) {
            return Some(Self { hosts, port: None });
        }
        let (host, port) = text.rsplit_once(':')?;
        Some(Self { hosts: Hosts::parse(host)?, port: Some(port.parse().ok()?) })
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let unbracketed = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
        if let Ok(address) = unbracketed.parse::<IpAddr>() {
            return network(address, bits);
        }
        if bits.is_some() {
            return None;
        }
        let (name, itself) = match text.strip_prefix("*.") {
            Some(name) => (name, false),
            None => (text.strip_prefix('.').unwrap_or(text), true),
        };
        match Host::parse(name.trim_end_matches('.')).ok()? {
            Host::Domain(name) => Some(Self::Below { name, itself }),
            Host::Ipv4(address) => network(address.into(), None),
            Host::Ipv6(address) => network(address.into(), None),
        }
    }

    fn contain(&self, host: &Host<&str>) -> bool {
        let address = match host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address).to_canonical()),
        };
        match (self, host, address) {
            (Self::All, ..) => true,
            (Self::Below { name, itself }, Host::Domain(host), _) => {
                let above = host.trim_end_matches('.').strip_suffix(name.as_str());
                above.is_some_and(|above| if above.is_empty() { *itself } else { above.ends_with('.') })
            }
            (Self::Network(network, bits), _, Some(address)) => begins_alike(*network, address, *bits),
            _ => false,
        }
    }
}

/// Returns a network of addresses. One of IPv4 also matches its addresses written as IPv6.
fn network(address: IpAddr, bits: Option<&str>) -> Option<Hosts> {
    let longest: u32 = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) => bits.parse::<u32>().ok().filter(|bits| *bits <= longest)?,
        None => longest,
    };
    match address.to_canonical() {
        canonical if canonical.is_ipv4() && address.is_ipv6() => {
            bits.checked_sub(96).map(|bits| Hosts::Network(canonical, bits))
        }
        address => Some(Hosts::Network(address, bits)),
    }
}

fn begins_alike(one: IpAddr, other: IpAddr, bits: u32) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            (one.to_bits() ^ other.to_bits()).checked_shr(32 - bits.min(32)).unwrap_or(0) == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            (one.to_bits() ^ other.to_bits()).checked_shr(128 - bits.min(128)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(list: &str, url: &str) -> bool {
        NoProxy::parse(list).covers(&Url::parse(url).unwrap())
    }

    #[test]
    fn as_curl_and_go_read_it() {
        for (list, direct, proxied) in [
            ("*", &["https://a.example", "http://10.0.0.1", "http://[2001:db8::1]:8080"][..], &[][..]),
            (" * ", &["https://a.example"], &[]),
            (
                "internal",
                &["https://internal", "https://INTERNAL./x", "http://a.b.internal:81"],
                &["https://notinternal", "https://internal.example", "https://10.0.0.1"],
            ),
            (".internal", &["https://a.internal", "https://internal"], &["https://ainternal"]),
            (
                "*.internal",
                &["https://a.internal", "https://a.b.internal."],
                &["https://internal", "https://ainternal"],
            ),
            (
                "*.internal, host:443",
                &["https://x.internal", "https://host", "https://a.host:443"],
                &["https://host:8443", "http://host"],
            ),
            ("Host.Example.", &["https://host.example", "https://a.HOST.example."], &["https://example"]),
            (
                "a.example b.example\tc.example,,d.example",
                &["https://a.example", "https://b.example", "https://c.example", "https://d.example"],
                &["https://e.example"],
            ),
            (
                "10.0.0.0/8",
                &["http://10.255.0.1", "http://[::ffff:10.1.2.3]"],
                &["http://11.0.0.1", "http://[2001:db8::1]", "http://ten.example"],
            ),
            ("0.0.0.0/0", &["http://1.2.3.4"], &["http://[2001:db8::1]"]),
            (
                "192.168.1.7",
                &["http://192.168.1.7:81", "http://3232235783"],
                &["http://192.168.1.70", "http://a.192.168.1.7.example"],
            ),
            ("192.168.1.7:8080", &["http://192.168.1.7:8080"], &["http://192.168.1.7"]),
            (
                "2001:db8::1,[2001:db8::2]",
                &["http://[2001:db8::1]", "http://[2001:db8:0::2]:81"],
                &["http://[2001:db8::3]"],
            ),
            ("[2001:db8::1]:443", &["https://[2001:db8::1]"], &["http://[2001:db8::1]"]),
            (
                "2001:db8::/32,[2001:db9::]/32",
                &["http://[2001:db8:ffff::1]", "http://[2001:db9::1]"],
                &["http://[2001:dba::1]"],
            ),
            ("::/0", &["http://[2001:db8::1]"], &["http://1.2.3.4"]),
            ("::ffff:10.0.0.0/104", &["http://10.9.9.9"], &["http://11.0.0.1"]),
            ("*:8080", &["http://a.example:8080"], &["http://a.example"]),
            ("bücher.example", &["https://xn--bcher-kva.example", "https://a.bücher.example"], &["https://example"]),
            ("", &[], &["https://a.example"]),
            (",,", &[], &["https://a.example"]),
            (
                "10.0.0.0/33, 10.0.0.0/x, host:, :443, host:x, http://host, ho*st, *internal",
                &[],
                &["http://10.0.0.1", "https://host", "https://internal"],
            ),
        ] {
            for url in direct {
                assert!(covers(list, url), "{list:?} exempts {url}");
            }
            for url in proxied {
                assert!(!covers(list, url), "{list:?} does not exempt {url}");
            }
        }
    }
}
