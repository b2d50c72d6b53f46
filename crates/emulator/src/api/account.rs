//! `GET /v2/billing`: the balance, and whether the key works.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::gateway::{Gateway, json_answer, refuse};
use super::refusal;
use crate::money::usd_text;

pub(crate) async fn billing(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    if !gateway.accepts_head(request.headers()) {
        return refuse(&gateway, request, &refusal::unauthorized()).await;
    }
    // Written by hand: the amount's own digits, never through a float.
    let body = format!("{{\"current_balance\":{},\"currency\":\"USD\"}}", usd_text(gateway.ledger.balance()));
    json_answer(request, body)
}
