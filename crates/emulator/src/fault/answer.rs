//! An error or scripted response, and its rendering for the HTTP library or as raw bytes.

use axum::body::Body;
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};

use super::error_body::reason;
use super::{AnswerContext, ErrorBody, ErrorForm};

/// Status, headers and body of a response that holds no image.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: AnswerBody,
}

#[derive(Debug, Clone)]
pub(crate) enum AnswerBody {
    Error(ErrorBody),
    Raw { content_type: String, bytes: Bytes },
}

/// A response ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A response with the live error body for `status`.
    pub(crate) fn new(status: u16) -> Self {
        let body = ErrorBody::of_status(status);
        Self { status, headers: Vec::new(), body: AnswerBody::Error(body) }
    }

    pub(crate) fn error(status: u16, body: ErrorBody) -> Self {
        Self { status, headers: Vec::new(), body: AnswerBody::Error(body) }
    }

    /// Returns the same refusal in another form. Only for the emulator's own refusals: scripted responses are sent as
    /// given.
    pub(crate) fn in_form(&self, form: ErrorForm) -> Self {
        match &self.body {
            AnswerBody::Error(body) => {
                let (status, body) = form.recast(self.status, body.clone());
                Self { status, headers: self.headers.clone(), body: AnswerBody::Error(body) }
            }
            AnswerBody::Raw { .. } => self.clone(),
        }
    }

    /// Fills in the parts that depend on the request.
    pub(crate) fn render(&self, context: &AnswerContext<'_>) -> Rendered {
        let mut headers = Vec::new();
        let (content_type, body, gateways) = match &self.body {
            AnswerBody::Error(body) => {
                let (content_type, bytes) = body.render(self.status, context);
                (content_type, bytes, body.is_gateways())
            }
            AnswerBody::Raw { content_type, bytes } => (Some(content_type.as_str()), bytes.clone(), false),
        };
        let overridden = |name: &str| self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if let Some(content_type) = content_type.filter(|_| !overridden("content-type")) {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        if gateways {
            headers.extend(context.headers().filter(|(name, _)| !overridden(name)));
        }
        headers.extend(self.headers.iter().cloned());
        Rendered { status: self.status, headers, body }
    }
}

impl Rendered {
    /// Converts to a response of the HTTP library. Headers that it cannot represent are left out.
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in &self.headers {
            add_header(response.headers_mut(), name, value);
        }
        response
    }

    /// Converts to raw bytes, with or without `connection: close`.
    pub(crate) fn into_wire(self, close: bool) -> Bytes {
        let mut wire = BytesMut::with_capacity(512 + self.body.len());
        wire.put_slice(format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status)).as_bytes());
        for (name, value) in &self.headers {
            wire.put_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        wire.put_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        if close {
            wire.put_slice(b"connection: close\r\n");
        }
        wire.put_slice(b"\r\n");
        wire.put_slice(&self.body);
        wire.freeze()
    }
}

/// Adds a header if the HTTP library can represent it.
pub(crate) fn add_header(headers: &mut HeaderMap, name: &str, value: &str) {
    match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        // Only one content type; any other header may be repeated, as some servers do.
        (Ok(name), Ok(value)) if name == CONTENT_TYPE => drop(headers.insert(name, value)),
        (Ok(name), Ok(value)) => drop(headers.append(name, value)),
        _ => tracing::warn!(name, "a header was left out: no HTTP header may hold it; use Fault::raw"),
    }
}
