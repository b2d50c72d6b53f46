//! The routes for faults: add one or a list, or clear all.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::Control;
use super::answer::{json_response, read_json};
use crate::fault::AnyFault;

pub(crate) async fn add(State(control): State<Arc<Control>>, body: Body) -> Response {
    let read = read_json(body).await.and_then(|value| Ok(AnyFault::read(value)?));
    match read {
        Ok(faults) => AnyFault::push(faults, &control.gateway.faults, &control.cdn_faults),
        Err(error) => return error.answer(&control),
    }
    count(&control)
}

pub(crate) async fn clear(State(control): State<Arc<Control>>) -> Response {
    control.gateway.faults.clear();
    control.cdn_faults.clear();
    count(&control)
}

pub(crate) async fn waiting(State(control): State<Arc<Control>>) -> Response {
    count(&control)
}

fn count(control: &Control) -> Response {
    json_response(200, &json!({"waiting": {"calls": control.gateway.faults.len(), "cdn": control.cdn_faults.len()}}))
}
