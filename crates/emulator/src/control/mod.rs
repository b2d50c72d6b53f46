//! The control interface, below `/_emulator`: faults, the ledger and the settings over HTTP, for tests in any
//! language.

mod answer;
mod faults;
mod help;
mod ledger;
mod settings;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{any, get};
use hyper::Uri;

pub(crate) use state::Control;

use self::answer::ControlError;
use crate::route::CONTROL;

pub(crate) fn router(control: Arc<Control>) -> Router {
    let path = |rest: &str| format!("{CONTROL}{rest}");
    Router::new()
        .route(CONTROL, get(help::help))
        .route(&path("/faults"), get(faults::waiting).post(faults::add).delete(faults::clear))
        .route(&path("/ledger"), get(ledger::ledger))
        .route(&path("/balance"), get(ledger::balance))
        .route(&path("/requests"), get(ledger::requests))
        .route(&path("/settings"), get(settings::show).post(settings::change))
        .route(&path("/{*rest}"), any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .with_state(control)
}

async fn unknown(State(control): State<Arc<Control>>, uri: Uri) -> Response {
    ControlError::new(404, "path", format!("there is nothing at {}", uri.path())).answer(&control)
}

async fn wrong_method(State(control): State<Arc<Control>>, uri: Uri) -> Response {
    ControlError::new(405, "method", format!("{} does not take this method", uri.path())).answer(&control)
}
