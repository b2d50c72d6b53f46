//! Decides which proxy a request goes through. Pure: the caller passes in the environment.
//!
//! A proxy setting that cannot be read or used is an error and never means a direct connection, which would send the
//! key along an unwanted route.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::error::Error;
use crate::no_proxy::NoProxy;
use crate::text::{is_quote, is_unprintable};
use crate::url_guard::is_loopback;

/// Variables that name a proxy. The first of each pair that is set and not blank is used.
const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const ALL: [&str; 2] = ["ALL_PROXY", "all_proxy"];
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// Set by web servers for CGI programs. There, `HTTP_PROXY` holds the `Proxy` header of an incoming request, so a
/// stranger may have chosen it.
const CGI: &str = "REQUEST_METHOD";

/// Maximum length of a proxy's URL, in bytes. The HTTP library silently ignores one of over 64 KiB.
const LONGEST: usize = 4096;
/// Maximum length of a SOCKS5 user name or password: RFC 1929 has one byte for each length.
const LONGEST_SOCKS_WORD: usize = 255;

/// Reads an environment variable.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The configured proxy.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) enum Proxy {
    /// Not configured: the standard variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` decide.
    #[default]
    System,
    /// No proxy.
    None,
    /// This proxy, for every request. Errors refer to it as `source`.
    Url { url: String, source: String },
}

/// A proxy whose settings were validated.
pub(crate) struct ProxyServer {
    /// The URL with user and password. It is built from validated parts, so that the HTTP library reads it the same
    /// way.
    url: SecretString,
    /// Scheme, host and port.
    address: String,
    /// The host, without brackets.
    host: String,
    /// The variable or option that the proxy came from.
    source: String,
}

impl ProxyServer {
    /// Returns the URL for the HTTP library. With `literal`, the destination's host is an IP address: `socks5` then
    /// becomes `socks5h`, because there is no name to look up.
    pub(crate) fn url(&self, literal: bool) -> String {
        let url = self.url.expose_secret();
        match url.strip_prefix("socks5://") {
            Some(rest) if literal => format!("socks5h://{rest}"),
            _ => url.to_owned(),
        }
    }

    /// Returns the host, for looking up its address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Returns whether the URL has a user.
    pub(crate) fn has_login(&self) -> bool {
        self.url.expose_secret().contains('@')
    }

    /// Returns whether the connection to the proxy itself is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.address.starts_with("https:")
    }
}

impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, from {}", self.address, self.source)
    }
}

impl fmt::Debug for ProxyServer {
    /// Writes scheme, host and port, without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyServer({self})")
    }
}

/// The routes of all requests of a client, resolved once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Routes {
    http: Option<Arc<ProxyServer>>,
    https: Option<Arc<ProxyServer>>,
    /// The hosts that the environment exempts from the proxies, and the variable that says so.
    except: Option<(&'static str, NoProxy)>,
    /// Whether requests to this machine use the proxy too. True only for an explicitly configured proxy, not for one
    /// from the environment.
    loopback: bool,
}

/// The route of one request.
#[derive(Debug)]
pub(crate) enum Route<'a> {
    Direct(Direct<'a>),
    Proxy(&'a Arc<ProxyServer>),
}

/// Why a request uses no proxy.
#[derive(Debug)]
pub(crate) enum Direct<'a> {
    /// No proxy is set for this scheme.
    NoneSet,
    /// The host is this machine, and proxies from the environment do not apply to it.
    Loopback(&'a ProxyServer),
    /// This variable exempts the host from the proxy.
    Exempt(&'static str, &'a ProxyServer),
}

impl Routes {
    /// Resolves the routes. `base_url` is the URL that the key is sent to.
    pub(crate) fn resolve(setting: &Proxy, base_url: &Url, lookup: Lookup<'_>) -> Result<Self, Error> {
        match setting {
            Proxy::System => Self::of_environment(base_url, lookup),
            Proxy::None => Ok(Self::default()),
            Proxy::Url { url, source } => {
                // An empty value, such as `--proxy "$PROXY"` with the variable unset, shows that a proxy was wanted, so
                // it is an error.
                let url = not_blank(url).ok_or_else(|| {
                    unusable(source, "it is empty; where none is wanted leave it out, or set NO_PROXY to *")
                })?;
                let server = Some(Arc::new(parse(url, source)?));
                Ok(Self { http: server.clone(), https: server, except: None, loopback: true })
            }
        }
    }

    fn of_environment(base_url: &Url, lookup: Lookup<'_>) -> Result<Self, Error> {
        let server = |names: &[&'static str]| -> Result<_, Error> {
            let Some((name, url)) = first(names, lookup)? else { return Ok(None) };
            Ok(Some(Arc::new(parse(&url, name)?)))
        };
        let all = server(&ALL)?;
        let https = server(&HTTPS)?;
        let cgi = lookup(CGI).is_some_and(|method| !method.is_empty());
        let http = if cgi { server(&[HTTP[1]])? } else { server(&HTTP)? };
        if cgi && http.is_none() && all.is_none() && base_url.scheme() == "http" && !is_loopback(base_url) {
            // The value is neither used nor ignored: a stranger may have set it, and ignoring it may mean a direct
            // connection.
            if first(&[HTTP[0]], lookup)?.is_some() {
                let why = format!("with {CGI} set it may be a stranger's request header; set {} instead", HTTP[1]);
                return Err(unusable(HTTP[0], &why));
            }
        }
        let (http, https) = (http.or_else(|| all.clone()), https.or(all));
        let mut except = None;
        if http.is_some() || https.is_some() {
            except = match first(&NO_PROXY, lookup)? {
                Some((name, list)) if list.contains(is_quote) => {
                    return Err(Error::config(format!(
                        "{name} cannot be read: it has quotes in it; write it as host.example,.internal,10.0.0.0/8"
                    )));
                }
                Some((name, list)) => Some((name, NoProxy::parse(&list))),
                None => None,
            };
        }
        Ok(Self { http, https, except, loopback: false })
    }

    /// Returns the route to `url`.
    pub(crate) fn to(&self, url: &Url) -> Route<'_> {
        let server = match url.scheme() {
            "http" => &self.http,
            _ => &self.https,
        };
        let Some(server) = server else { return Route::Direct(Direct::NoneSet) };
        if !self.loopback && is_loopback(url) {
            return Route::Direct(Direct::Loopback(server));
        }
        match &self.except {
            Some((name, list)) if list.covers(url) => Route::Direct(Direct::Exempt(name, server)),
            _ => Route::Proxy(server),
        }
    }

    /// Returns every proxy with the scheme that it is used for.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (&'static str, &Arc<ProxyServer>)> {
        [("http", &self.http), ("https", &self.https)]
            .into_iter()
            .filter_map(|(scheme, server)| server.as_ref().map(|server| (scheme, server)))
    }
}

impl fmt::Display for Route<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proxy(server) => server.fmt(f),
            Self::Direct(Direct::NoneSet) => f.write_str("none"),
            Self::Direct(Direct::Loopback(server)) => {
                write!(f, "none, for it is this machine itself ({} is set)", server.source)
            }
            Self::Direct(Direct::Exempt(name, server)) => {
                write!(f, "none, for {name} exempts this host ({} is set)", server.source)
            }
        }
    }
}

/// Returns the first of these variables that is set and not blank, with its trimmed value.
fn first(names: &[&'static str], lookup: Lookup<'_>) -> Result<Option<(&'static str, String)>, Error> {
    for name in names {
        let Some(value) = lookup(name) else { continue };
        let value = value.into_string().map_err(|_| unusable(name, "it is not UTF-8"))?;
        if let Some(value) = not_blank(&value) {
            return Ok(Some((name, value.to_owned())));
        }
    }
    Ok(None)
}

fn not_blank(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// Creates the error for an unusable value. It does not repeat the value, which may contain a password.
fn unusable(source: &str, why: &str) -> Error {
    Error::config(format!(
        "the proxy from {source} cannot be used: {why}; write it as http://host:port or socks5h://host:port"
    ))
}

/// Parses a proxy's URL. `source` says where it came from.
fn parse(text: &str, source: &str) -> Result<ProxyServer, Error> {
    let refused = |why: &str| unusable(source, why);
    if text.len() > LONGEST {
        return Err(refused("it is too long"));
    }
    if text.starts_with(is_quote) || text.ends_with(is_quote) {
        return Err(refused("it has quotes around it"));
    }
    if text.contains(|char: char| char.is_whitespace() || is_unprintable(char)) {
        return Err(refused("it holds a blank, a line break or an invisible character"));
    }
    // Without a scheme it is an HTTP proxy, as in curl and Go.
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let (scheme, default_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => ("http", 80),
        "https" => ("https", 443),
        // Desktops write socks:// and mean SOCKS5 with names looked up by the proxy.
        "socks" | "socks5h" => ("socks5h", 1080),
        "socks5" => ("socks5", 1080),
        "socks4" => ("socks4", 1080),
        "socks4a" => ("socks4a", 1080),
        _ => return Err(refused("its scheme is none of http, https, socks5h, socks5, socks4a, socks4")),
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    if !behind.chars().all(|char| char == '/') {
        return Err(refused(
            "there is more behind its host; in a password write / as %2F, ? as %3F, # as %23, \\ as %5C",
        ));
    }
    let (user_info, place) = match authority.rsplit_once('@') {
        Some((user_info, place)) => (Some(user_info), place),
        None => (None, authority),
    };
    let (host, port) = split_port(place).ok_or_else(|| refused("its port is not a number from 1 to 65535"))?;
    let port = port.unwrap_or(default_port);
    let host = match Host::parse(host) {
        _ if host.is_empty() => return Err(refused("it has no host")),
        Ok(Host::Domain(name)) if !is_host_name(&name) => return Err(refused("its host is not a host name")),
        Ok(host) => host,
        Err(_) => return Err(refused("its host is not a host name")),
    };
    let user_info = match user_info {
        Some(user_info) => encode(user_info, scheme).map_err(refused)?,
        None => String::new(),
    };
    Ok(ProxyServer {
        url: SecretString::from(format!("{scheme}://{user_info}{host}:{port}")),
        address: format!("{scheme}://{host}:{port}"),
        host: host.to_string().trim_matches(['[', ']']).to_owned(),
        source: source.to_owned(),
    })
}

/// Splits an authority into host and port. `None` if the text after the colon is not a port.
fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    let behind_brackets = place.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = place.get(behind_brackets..)?.rfind(':').map(|colon| behind_brackets + colon) else {
        return Some((place, None));
    };
    let (host, port) = (place.get(..colon)?, place.get(colon + 1..)?);
    if port.is_empty() {
        return Some((host, None));
    }
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| digits && *port > 0).map(|port| (host, Some(port)))
}

/// Returns whether this is a host name. Narrower than what URLs allow, because the HTTP library uses no proxy at all if
/// it cannot read the name.
fn is_host_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.bytes().all(known) && name.bytes().any(|byte| byte != b'.') && name.len() <= 253
}

/// Percent-encodes `user:password@` where necessary.
fn encode(user_info: &str, scheme: &str) -> Result<String, &'static str> {
    let (user, password) = match user_info.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (user_info, None),
    };
    let (decoded, decoded_password) = (decoded(user), password.map(decoded));
    let (Some(decoded), Some(decoded_password)) = (decoded, decoded_password.unwrap_or_else(|| Some(String::new())))
    else {
        return Err("its user or password is not UTF-8 once % is decoded; a % itself is written %25");
    };
    match scheme {
        "socks4" | "socks4a" => return Err("SOCKS4 takes no user and password; use socks5h"),
        "socks5" | "socks5h"
            if decoded.is_empty() || decoded.len().max(decoded_password.len()) > LONGEST_SOCKS_WORD =>
        {
            return Err("SOCKS5 takes a user of 1 to 255 bytes and a password of at most 255");
        }
        _ => {}
    }
    let mut url = Url::parse("http://host").map_err(|_| "its user cannot be read")?;
    let set = url.set_username(user).and_then(|()| url.set_password(password));
    set.map_err(|()| "its user or password cannot be read")?;
    let password = url.password().map(|password| format!(":{password}")).unwrap_or_default();
    Ok(format!("{}{password}@", url.username()))
}

/// Returns the text with each `%XX` replaced by the byte that it stands for.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        let hex = behind.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => bytes.push(first),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
