//! Reads a generate request.

use axum::body::BodyDataStream;
use hyper::HeaderMap;
use serde_json::Value;

use super::fields::{Field, Fields};
use super::read::{ReadError, drain, whole};
use super::refusal;

/// Maximum size of the body: room for the longest prompt with every character escaped, and for unknown fields.
const BODY_MAX: usize = 4 << 20;

/// Reads the fields of a JSON object.
pub(crate) async fn read(headers: &HeaderMap, body: &mut BodyDataStream) -> Result<Fields, ReadError> {
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_json(content_type) {
        let there = drain(body).await;
        return Err(if there { refusal::wrong_content_type("application/json").into() } else { ReadError::Lost });
    }
    let bytes = whole(body, BODY_MAX).await?.ok_or_else(|| refusal::too_large(BODY_MAX as u64))?;
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|error| refusal::malformed(format!("The body is not JSON: {error}.")))?;
    let Value::Object(object) = value else {
        return Err(refusal::malformed("The body is not a JSON object.".to_owned()).into());
    };
    Ok(object.into_iter().map(|(name, value)| (name, Field::Json(value))).collect())
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
