//! What the gateway is made of, and its routes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Uri};

use super::logs::{self, CallLimit};
use super::{account, paid, read, refusal};
use crate::cdn::CdnStore;
use crate::fault::{Answer, AnswerContext, Fault, Rendered, Script};
use crate::ident::{is_client_request_id, random_uuid};
use crate::net::{Note, Plan, Recording, RequestHead, Site};
use crate::picture::PictureCache;
use crate::route::{BILLING, EDITS, GENERATIONS, LOGS, canonical_uri, is_control, paid_operation};
use crate::settings::SharedSettings;
use crate::truth::{Call, Ledger, Records, Side};

/// Everything that requests share.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Keys that work; none is any.
    pub(crate) keys: Vec<String>,
    pub(crate) settings: Arc<SharedSettings>,
    pub(crate) canned: Option<Canned>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) script: Script<Fault>,
    pub(crate) records: Arc<Records>,
    pub(crate) pictures: Arc<PictureCache>,
    pub(crate) cdn: Arc<CdnStore>,
    /// The CDN's origin, without a slash at the end.
    pub(crate) cdn_url: String,
    pub(crate) connections: AtomicU64,
    pub(crate) log_calls: CallLimit,
}

/// The picture of every answer, when nothing is drawn.
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
    /// Whether an `Authorization` header holds a key that works.
    pub(crate) fn accepts(&self, authorization: Option<&str>) -> bool {
        let Some((scheme, key)) = authorization.and_then(|value| value.split_once(' ')) else { return false };
        let key = key.trim();
        scheme.eq_ignore_ascii_case("bearer")
            && !key.is_empty()
            && (self.keys.is_empty() || self.keys.iter().any(|known| known == key))
    }

    /// Whether a request's head holds a key that works.
    pub(crate) fn accepts_head(&self, headers: &HeaderMap) -> bool {
        self.accepts(headers.get("authorization").and_then(|value| value.to_str().ok()))
    }
}

impl Site for Gateway {
    fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    fn plan(&self, head: &RequestHead) -> Plan {
        if is_control(&head.target) {
            return Plan::default();
        }
        let recording = Some(Recording::new(&self.records, Side::Api, head));
        let Some(operation) = paid_operation(&head.method, &head.target) else {
            return Plan { recording, ..Plan::default() };
        };
        let authorized = self.accepts(head.header("authorization"));
        let call = Call::open(&self.ledger, Some(&self.script), operation, authorized, head);
        let mut plan = Plan { recording, note: Some(Note::Call(Arc::clone(&call))), ..Plan::default() };
        if let Some(fault) = &call.fault {
            plan.early = paid::early_answer(&call, fault);
            plan.request_cut = fault.request_cut;
            plan.response_cut = fault.response_cut;
            plan.pauses.clone_from(&fault.pauses);
            plan.raw.clone_from(&fault.raw);
        }
        plan.call = Some(call);
        plan
    }

    fn rewritten(&self, uri: &Uri) -> Option<Uri> {
        canonical_uri(uri)
    }

    fn died_in_head(&self, head: &RequestHead) {
        if let Some(operation) = paid_operation(&head.method, &head.target) {
            let authorized = self.accepts(head.header("authorization"));
            Call::open_unfinished(&self.ledger, operation, authorized, head);
        }
    }
}

pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route(GENERATIONS, post(paid::generate))
        .route(EDITS, post(paid::edit))
        .route(BILLING, get(account::billing))
        .route(LOGS, get(logs::logs))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(gateway)
}

async fn not_found(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    refuse(&gateway, request, &refusal::unknown_route()).await
}

async fn method_not_allowed(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    refuse(&gateway, request, &refusal::method_not_allowed()).await
}

/// Answers an unpaid request, once it is there: an answer in the middle of an upload could be lost to a reset.
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

/// What answers to an unpaid request repeat.
fn context<'a>(parts: &'a Parts, request_id: &'a str) -> AnswerContext<'a> {
    let client_request_id = parts.headers.get("x-client-request-id").and_then(|value| value.to_str().ok());
    AnswerContext {
        path: parts.uri.path(),
        request_id,
        client_request_id: client_request_id.filter(|id| is_client_request_id(id)),
        inference_id: None,
    }
}
