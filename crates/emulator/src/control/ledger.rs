//! The routes for the ledger, the balance and the recorded requests.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use serde::Serialize;
use serde_json::json;

use super::Control;
use super::answer::{flag, json_response};
use crate::money::usd_text;
use crate::{LedgerEntry, RecordedRequest, Side};

/// Replaces a key in recorded requests: anyone who can reach the port could read it.
const HIDDEN: &str = "Bearer [hidden]";

#[derive(Serialize)]
struct LedgerPage {
    entries: Vec<LedgerEntry>,
    charges: u64,
    balance_usd: String,
}

/// Returns the ledger. With `?settled=true`, waits until no entry can change any more.
pub(crate) async fn ledger(State(control): State<Arc<Control>>, uri: Uri) -> Response {
    match flag(uri.query(), "settled") {
        Ok(true) => control.idle.wait().await,
        Ok(false) => {}
        Err(error) => return error.answer(&control),
    }
    let ledger = &control.gateway.ledger;
    let page =
        LedgerPage { entries: ledger.entries(), charges: ledger.charges(), balance_usd: usd_text(ledger.balance()) };
    json_response(200, &page)
}

pub(crate) async fn balance(State(control): State<Arc<Control>>) -> Response {
    let ledger = &control.gateway.ledger;
    json_response(200, &json!({"balance_usd": usd_text(ledger.balance()), "charges": ledger.charges()}))
}

#[derive(Serialize)]
struct ShownRequest<'a> {
    side: Side,
    method: &'a str,
    target: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    body: Option<&'a str>,
    /// Set in place of the text for a body that is not UTF-8.
    body_base64: Option<String>,
    body_len: u64,
}

pub(crate) async fn requests(State(control): State<Arc<Control>>) -> Response {
    let requests = control.gateway.records.all();
    json_response(200, &requests.iter().map(shown).collect::<Vec<_>>())
}

fn shown(request: &RecordedRequest) -> ShownRequest<'_> {
    let text = request.body.as_deref().and_then(|body| std::str::from_utf8(body).ok());
    let bytes = request.body.as_deref().filter(|_| text.is_none());
    ShownRequest {
        side: request.side,
        method: &request.method,
        target: &request.target,
        headers: request.headers.iter().map(without_key).collect(),
        body: text,
        body_base64: bytes.map(|bytes| base64_simd::STANDARD.encode_to_string(bytes)),
        body_len: request.body_len,
    }
}

fn without_key((name, value): &(String, String)) -> (&str, &str) {
    let secret = name.eq_ignore_ascii_case("authorization");
    (name.as_str(), if secret { HIDDEN } else { value.as_str() })
}
