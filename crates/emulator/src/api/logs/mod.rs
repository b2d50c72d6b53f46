//! `GET /v2/logs`: the account's calls and their results, page by page.

mod limit;
mod query;
mod row;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

pub(crate) use limit::CallLimit;

use self::query::Query;
use self::row::Page;
use super::gateway::{Gateway, json_answer, refuse};
use super::refusal;

pub(crate) async fn logs(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    if !gateway.accepts_head(request.headers()) {
        return refuse(&gateway, request, &refusal::unauthorized()).await;
    }
    if let Err(wait) = gateway.log_calls.take() {
        return refuse(&gateway, request, &refusal::too_many_calls(wait)).await;
    }
    let query = match Query::read(request.uri().query().unwrap_or_default()) {
        Ok(query) => query,
        Err(issues) => return refuse(&gateway, request, &refusal::invalid(issues)).await,
    };
    let mut rows = gateway.ledger.log_rows(gateway.settings.get().log_lag.0);
    rows.retain(|row| query.selects(row));
    // Serialized directly: an intermediate `Value` would round the amounts.
    let Ok(body) = serde_json::to_vec(&Page::of(&rows, &query)) else {
        return refuse(&gateway, request, &refusal::internal()).await;
    };
    json_answer(request, body)
}
