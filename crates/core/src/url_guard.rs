//! Decides which URLs may be opened. Pure; the caller does the name lookups.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Returns whether the URL's host names this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
        None => false,
    }
}

/// The rules for download URLs, which depend on where the gateway is.
#[derive(Debug, Clone)]
pub(crate) struct DownloadGuard {
    http_allowed: bool,
    /// Whether images may come from addresses that are not public, because the gateway's own address is not public.
    pub(crate) private_allowed: bool,
    /// The gateway's host name, which may resolve to an address that is not public.
    pub(crate) gateway: Option<String>,
}

impl DownloadGuard {
    pub(crate) fn new(base_url: &Url) -> Self {
        let private = match base_url.host() {
            Some(Host::Ipv4(ip)) => !is_public(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => !is_public(IpAddr::V6(ip)),
            _ => is_loopback(base_url),
        };
        let gateway = base_url.domain().map(str::to_owned);
        Self { http_allowed: base_url.scheme() == "http", private_allowed: private, gateway }
    }

    /// Checks one URL or redirect. Names are checked again by the addresses that they resolve to.
    pub(crate) fn check(&self, url: &Url) -> Result<(), String> {
        match url.scheme() {
            "https" => {}
            "http" if self.http_allowed => {}
            scheme => return Err(format!("its url has the scheme {scheme}, only https is opened")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("its url holds user information".to_owned());
        }
        let address = match url.host() {
            None => return Err("its url has no host".to_owned()),
            Some(Host::Domain(_)) => return if is_loopback(url) { self.refuse_private() } else { Ok(()) },
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
        };
        if is_public(address) { Ok(()) } else { self.refuse_private() }
    }

    fn refuse_private(&self) -> Result<(), String> {
        if self.private_allowed {
            Ok(())
        } else {
            Err("its url leads to a private address, which is not opened".to_owned())
        }
    }
}

/// Returns whether an address is on the public internet.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let reserved = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19));
    !(reserved
        || ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    let [.., high, low] = segments;
    let embedded = || {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        // Mapped, compatible and translated addresses are judged by the IPv4 address in them.
        [0, 0, 0, 0, 0, 0xffff | 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(embedded()),
        [0x2002, high, low, ..] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // Locally translated, unique local, link local, site local, multicast, documentation.
        [0x64, 0xff9b, 1, ..] | [0x2001, 0xdb8, ..] => false,
        [first, ..] => {
            (first & 0xfe00) != 0xfc00
                && (first & 0xffc0) != 0xfe80
                && (first & 0xffc0) != 0xfec0
                && (first & 0xff00) != 0xff00
        }
    }
}

#[cfg(test)]
#[path = "url_guard_tests.rs"]
mod tests;
