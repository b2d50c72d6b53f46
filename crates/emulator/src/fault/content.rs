//! Bytes in JSON, written as text, as base64 or as JSON itself.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

/// `"text"`, `{"base64": "…"}` or `{"json": …}`.
#[derive(Debug, Clone)]
pub(crate) struct Content(pub(crate) Bytes);

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Encoded {
    Base64(String),
    Json(Value),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text, {\"base64\": \"…\"} or {\"json\": …}")]
enum Given {
    Text(String),
    Encoded(Encoded),
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = match Given::deserialize(deserializer)? {
            Given::Text(text) => text.into_bytes(),
            Given::Encoded(Encoded::Json(value)) => value.to_string().into_bytes(),
            Given::Encoded(Encoded::Base64(text)) => base64_simd::STANDARD.decode_to_vec(text).map_err(|_| {
                D::Error::custom("the base64 cannot be decoded: write the standard alphabet with padding")
            })?,
        };
        Ok(Self(bytes.into()))
    }
}
