//! The help text of the control interface, to be read in a terminal.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::Control;
use super::answer::text_response;

/// The help text. A test sends every line of JSON in it, as a fault or as settings.
const HELP: &str = include_str!("help.txt");

pub(crate) async fn help(State(control): State<Arc<Control>>) -> Response {
    text_response(200, "text/plain; charset=utf-8", HELP.replace("ORIGIN", &control.origin).into_bytes())
}
