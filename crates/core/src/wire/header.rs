//! Header names, in lower case, and the headers of each kind of request.

pub(crate) use gptimage_model::wire::header::{CLIENT_REQUEST_ID, CREDITS_USED, INFERENCE_ID, REQUEST_ID, USD_SPENT};

pub(crate) const RETRY_AFTER: &str = "retry-after";
pub(crate) const CONTENT_TYPE: &str = "content-type";
pub(crate) const CONTENT_ENCODING: &str = "content-encoding";
pub(crate) const AUTHORIZATION: &str = "authorization";
pub(crate) const ACCEPT: &str = "accept";
pub(crate) const ACCEPT_ENCODING: &str = "accept-encoding";
pub(crate) const CONTENT_LENGTH: &str = "content-length";
pub(crate) const CONTENT_RANGE: &str = "content-range";
pub(crate) const ETAG: &str = "etag";
pub(crate) const HOST: &str = "host";
pub(crate) const IF_RANGE: &str = "if-range";
pub(crate) const LOCATION: &str = "location";
pub(crate) const RANGE: &str = "range";
pub(crate) const USER_AGENT: &str = "user-agent";
/// The value of `user-agent`.
pub(crate) const PRODUCT: &str = concat!("gptimage/", env!("CARGO_PKG_VERSION"));
/// Headers that callers cannot set, because this crate does.
pub(crate) const RESERVED: &[&str] = &[
    AUTHORIZATION,
    CONTENT_TYPE,
    CONTENT_LENGTH,
    "transfer-encoding",
    "connection",
    HOST,
    "expect",
    CLIENT_REQUEST_ID,
];
/// Headers that callers cannot set, because they could make a paid response unreadable or send a password astray.
pub(crate) const HARMFUL: &[&str] = &[
    ACCEPT,
    "accept-charset",
    ACCEPT_ENCODING,
    CONTENT_ENCODING,
    CONTENT_RANGE,
    "if-match",
    "if-modified-since",
    "if-none-match",
    IF_RANGE,
    "if-unmodified-since",
    "keep-alive",
    "http2-settings",
    "prefer",
    "proxy-authorization",
    "proxy-connection",
    RANGE,
    "te",
    "trailer",
    "upgrade",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// The headers of every request to the gateway, in addition to the key. Compression is refused because it would cost
/// time.
pub(crate) const GATEWAY: &[(&str, &str)] = &[(ACCEPT, "application/json"), (ACCEPT_ENCODING, "identity")];
/// The headers of a download.
pub(crate) const DOWNLOAD: &[(&str, &str)] = &[(ACCEPT, "image/*"), (ACCEPT_ENCODING, "identity")];

/// Returns the headers of a charged call, in addition to the key and the caller's own.
pub(crate) fn of_call<'a>(content_type: &'a str, client_request_id: &'a str) -> Vec<(&'static str, &'a str)> {
    let own = [(CONTENT_TYPE, content_type), (CLIENT_REQUEST_ID, client_request_id)];
    GATEWAY.iter().copied().chain(own).collect()
}

/// Returns the value of `range` for all bytes from this one on.
pub(crate) fn range_from(byte: u64) -> String {
    format!("bytes={byte}-")
}

/// Returns whether a value of `content-range` begins at this byte.
pub(crate) fn range_starts_at(content_range: &str, byte: u64) -> bool {
    let start = content_range.strip_prefix("bytes ").and_then(|range| range.split('-').next());
    start.is_some_and(|start| start.trim().parse() == Ok(byte))
}
