//! The routes for the settings.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use super::Control;
use super::answer::{ControlError, json_response, read_json};
use crate::settings::Settings;

pub(crate) async fn show(State(control): State<Arc<Control>>) -> Response {
    json_response(200, &control.gateway.settings.get())
}

pub(crate) async fn change(State(control): State<Arc<Control>>, body: Body) -> Response {
    match read_json(body).await.and_then(|changes| apply(&control, changes)) {
        Ok(settings) => json_response(200, &settings),
        Err(error) => error.answer(&control),
    }
}

fn apply(control: &Control, changes: Value) -> Result<Settings, ControlError> {
    let Value::Object(changes) = changes else {
        return Err(ControlError::new(400, "body", "the settings to change are a JSON object"));
    };
    Ok(control.gateway.settings.change(changes)?)
}
