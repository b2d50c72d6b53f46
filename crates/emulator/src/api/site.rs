//! The gateway as its listener sees it: the plan for each request, and the routes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use hyper::Uri;

use super::gateway::{Gateway, refuse};
use super::{account, logs, paid, refusal};
use crate::http1::RequestHead;
use crate::ledger::{Call, Side};
use crate::net::{Note, Plan, Recording, Site};
use crate::route::{BILLING, EDITS, GENERATIONS, LOGS, canonical_uri, is_control, paid_operation};

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
        let call = Call::open(&self.ledger, Some(&self.faults), operation, authorized, head);
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
