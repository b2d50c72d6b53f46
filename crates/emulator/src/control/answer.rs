//! Responses of the control interface: JSON, and errors that say how to fix the request.

use std::borrow::Cow;
use std::collections::HashMap;

use axum::body::Body;
use axum::response::Response;
use serde::Serialize;

use super::Control;
use crate::ParseError;
use crate::api::whole;
use crate::fault::Rendered;
use crate::route::CONTROL;

/// Maximum size of a request's body: an image in base64, with room to spare.
const BODY_MAX: usize = 64 << 20;

/// The reason why a control request was refused.
#[derive(Debug)]
pub(crate) struct ControlError {
    status: u16,
    field: String,
    message: String,
}

impl ControlError {
    pub(crate) fn new(status: u16, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, field: field.into(), message: message.into() }
    }

    pub(crate) fn answer(&self, control: &Control) -> Response {
        let way_out = format!("GET {}{CONTROL} shows every request with an example", control.origin);
        let shown = ErrorJson { field: &self.field, message: &self.message, help: &way_out };
        json_response(self.status, &HashMap::from([("error", shown)]))
    }
}

impl From<ParseError> for ControlError {
    fn from(error: ParseError) -> Self {
        Self::new(400, error.field, error.message)
    }
}

/// The JSON form of an error.
#[derive(Serialize)]
struct ErrorJson<'a> {
    field: &'a str,
    message: &'a str,
    help: &'a str,
}

pub(crate) fn json_response(status: u16, value: &impl Serialize) -> Response {
    let mut body = serde_json::to_vec_pretty(value).unwrap_or_default();
    // Ends with a line break, for terminals.
    body.push(b'\n');
    text_response(status, "application/json; charset=utf-8", body)
}

pub(crate) fn text_response(status: u16, content_type: &str, body: Vec<u8>) -> Response {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    Rendered { status, headers, body: body.into() }.into_response()
}

/// Reads a request's JSON. Ignores the content type, because curl's default is not JSON.
pub(crate) async fn read_json(body: Body) -> Result<serde_json::Value, ControlError> {
    let bytes = match whole(&mut body.into_data_stream(), BODY_MAX).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(ControlError::new(413, "body", format!("is longer than {BODY_MAX} bytes"))),
        Err(_) => return Err(ControlError::new(400, "body", "did not arrive whole")),
    };
    serde_json::from_slice(&bytes).map_err(|error| ControlError::new(400, "body", format!("is not JSON: {error}")))
}

/// Parses a query that may hold only the boolean parameter `name`. Default: false.
pub(crate) fn flag(query: Option<&str>, name: &str) -> Result<bool, ControlError> {
    let mut set = false;
    for (given, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        set = match (given == name, value) {
            (true, Cow::Borrowed("true" | "" | "1")) => true,
            (true, Cow::Borrowed("false" | "0")) => false,
            (true, value) => return Err(ControlError::new(400, name, format!("{value:?} is neither true nor false"))),
            (false, _) => {
                return Err(ControlError::new(400, given, format!("is no parameter here: there is only `{name}`")));
            }
        };
    }
    Ok(set)
}
