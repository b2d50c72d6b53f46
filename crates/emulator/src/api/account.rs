//! `GET /v2/billing`: the balance, and whether the key works.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::gateway::{Gateway, refuse};
use super::refusal;
use crate::fault::Rendered;
use crate::money::usd_text;

pub(crate) async fn billing(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let authorization = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if !gateway.accepts(authorization) {
        return refuse(request, &refusal::unauthorized()).await;
    }
    // Written by hand: the amount's own digits, never through a float.
    let body = format!("{{\"current_balance\":{},\"currency\":\"USD\"}}", usd_text(gateway.ledger.balance()));
    let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
    Rendered { status: 200, headers, body: body.into() }.into_response()
}
