//! Access to private parts for the fuzz targets of this repository. Not a public interface: anything here may change or
//! disappear at any time.
#![allow(missing_docs, reason = "no public interface")]

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::ImageFormat;
use crate::base_url::BaseUrl;
use crate::error::Error;
use crate::image::verify_bytes;
use crate::secret::ApiKey;
use crate::transport;
use crate::url_guard::{self, DownloadGuard};
use crate::wire::{AnswerDecoder, ErrorBody};

/// One image in a response.
#[derive(Debug, PartialEq, Eq)]
pub struct DecodedPayload {
    pub bytes: Vec<u8>,
    pub ended: bool,
    pub broken: bool,
}

/// A decoded response.
#[derive(Debug, PartialEq)]
pub struct DecodedAnswer {
    pub payloads: Vec<DecodedPayload>,
    /// The parsed JSON, with `null` in place of payloads.
    pub value: Value,
    pub broken: bool,
    /// The entries of `data`: payload number and link.
    pub found: Vec<(Option<usize>, Option<String>)>,
    pub overflowed: bool,
}

pub fn decode_answer<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, key: &str) -> Result<DecodedAnswer, Error> {
    let key = ApiKey::new(key, "a fuzz target")?;
    let mut decoder = AnswerDecoder::new(0, None);
    for piece in pieces {
        decoder.push(piece);
    }
    decoder.end_whole();
    let json = decoder.json(&key);
    let overflowed = decoder.overflowed();
    let payloads = decoder
        .payloads()
        .drain(..)
        .map(|payload| DecodedPayload { bytes: payload.decoded, ended: payload.ended, broken: payload.error.is_some() })
        .collect();
    let found = json.found.into_iter().map(|found| (found.payload, found.url)).collect();
    Ok(DecodedAnswer { payloads, value: json.value, broken: json.broken.is_some(), found, overflowed })
}

/// The information found in an error body.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorBodySummary {
    pub message: Option<String>,
    pub request_id: Option<String>,
    pub vendor_envelope: bool,
    pub moderation: bool,
    pub out_of_credits: bool,
}

pub fn error_body(body: &[u8], key: &str) -> Result<ErrorBodySummary, Error> {
    let ErrorBody { message, request_id, vendor_envelope, moderation, out_of_credits, .. } =
        ErrorBody::parse(body, &ApiKey::new(key, "a fuzz target")?);
    Ok(ErrorBodySummary { message, request_id, vendor_envelope, moderation, out_of_credits })
}

pub fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    transport::parse_retry_after(text, now)
}

pub fn backoff(
    attempts: u32,
    first: Duration,
    longest: Duration,
    retry_after: Option<Duration>,
    random_fraction: f64,
) -> Duration {
    transport::backoff(attempts, first, longest, retry_after, random_fraction)
}

/// Returns format and dimensions of a complete image.
pub fn complete(bytes: &[u8]) -> Result<(ImageFormat, Option<(u32, u32)>), String> {
    let verified = verify_bytes(bytes).map_err(|error| error.to_string())?;
    Ok((verified.format, verified.dimensions))
}

pub fn base_url(text: &str, allow_http: bool) -> Result<String, Error> {
    BaseUrl::parse(text, allow_http).map(|base| base.shown)
}

/// Returns whether an image may be downloaded from `url` if the gateway is at `base`. `None` if one of them is not a
/// URL.
pub fn may_download(base: &str, url: &str) -> Option<Result<(), String>> {
    let guard = DownloadGuard::new(&base.parse().ok()?);
    Some(guard.check(&url.parse().ok()?))
}

pub fn is_public(ip: IpAddr) -> bool {
    url_guard::is_public(ip)
}
