//! `GET /v2/billing`: returns the balance; also shows whether the key is valid.

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
    // Written by hand, because a float could not represent every amount exactly.
    let body = format!("{{\"current_balance\":{},\"currency\":\"USD\"}}", usd_text(gateway.ledger.balance()));
    json_answer(request, body)
}
