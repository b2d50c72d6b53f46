//! The state that all gateway requests share, and the responses to requests that are not paid.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use gptimage_model::wire::header;
use hyper::HeaderMap;
use hyper::http::request::Parts;

use super::logs::CallLimit;
use super::read;
use crate::cdn::CdnStore;
use crate::fault::{Answer, AnswerContext, Fault, FaultQueue, Rendered};
use crate::ident::{is_client_request_id, random_uuid};
use crate::ledger::{Ledger, Records};
use crate::picture::PictureCache;
use crate::settings::SharedSettings;

/// State shared by all requests.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Accepted keys; if empty, every key is accepted.
    pub(crate) keys: Vec<String>,
    pub(crate) settings: Arc<SharedSettings>,
    pub(crate) canned: Option<Canned>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) faults: FaultQueue<Fault>,
    pub(crate) records: Arc<Records>,
    pub(crate) pictures: Arc<PictureCache>,
    pub(crate) cdn: Arc<CdnStore>,
    /// The origin of the CDN, without a trailing slash.
    pub(crate) cdn_url: String,
    pub(crate) connections: AtomicU64,
    pub(crate) log_calls: CallLimit,
}

/// A fixed image that every response carries instead of a drawn one.
#[derive(Debug, Clone)]
pub(crate) struct Canned {
    pub(crate) bytes: Bytes,
    pub(crate) base64: Bytes,
}

impl Canned {
    pub(crate) fn new(bytes: Bytes) -> Self {
        let base64 = Bytes::from(base64_simd::STANDARD.encode_to_string(&bytes));
        Self { bytes, base64 }
    }
}

impl Gateway {
    /// Returns whether an `Authorization` header holds an accepted key.
    pub(crate) fn accepts(&self, authorization: Option<&str>) -> bool {
        let Some((scheme, key)) = authorization.and_then(|value| value.split_once(' ')) else { return false };
        let key = key.trim();
        scheme.eq_ignore_ascii_case("bearer")
            && !key.is_empty()
            && (self.keys.is_empty() || self.keys.iter().any(|known| known == key))
    }

    /// Returns whether a request's headers hold an accepted key.
    pub(crate) fn accepts_head(&self, headers: &HeaderMap) -> bool {
        self.accepts(headers.get("authorization").and_then(|value| value.to_str().ok()))
    }
}

/// Refuses an unpaid request, after reading all of it: a response in the middle of an upload could be lost to a
/// reset.
pub(crate) async fn refuse(gateway: &Gateway, request: Request, answer: &Answer) -> Response {
    let (parts, body) = request.into_parts();
    read::drain(&mut body.into_data_stream()).await;
    let request_id = random_uuid();
    answer.in_form(gateway.settings.get().error_form).render(&context(&parts, &request_id)).into_response()
}

/// Answers an unpaid request with JSON.
pub(crate) fn json_answer(request: Request, body: impl Into<Bytes>) -> Response {
    let (parts, _) = request.into_parts();
    let mut headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
    headers.extend(context(&parts, &random_uuid()).headers());
    Rendered { status: 200, headers, body: body.into() }.into_response()
}

/// Collects the parts of an unpaid request that responses repeat.
fn context<'a>(parts: &'a Parts, request_id: &'a str) -> AnswerContext<'a> {
    let client_request_id = parts.headers.get(header::CLIENT_REQUEST_ID).and_then(|value| value.to_str().ok());
    AnswerContext {
        path: parts.uri.path(),
        request_id,
        client_request_id: client_request_id.filter(|id| is_client_request_id(id)),
        inference_id: None,
    }
}
