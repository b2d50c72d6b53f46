//! Faults over HTTP: one, a list, or none any more.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use super::Control;
use super::answer::{Complaint, json_response, read_json};
use crate::{CdnFault, Fault};

/// What a fault strikes.
enum AnyFault {
    Call(Fault),
    Cdn(CdnFault),
}

/// The key that a fault of downloads is under.
const CDN: &str = "cdn";

pub(crate) async fn add(State(control): State<Arc<Control>>, body: Body) -> Response {
    let read = read_json(body).await.and_then(|value| match value {
        Value::Array(faults) => {
            faults.into_iter().enumerate().map(|(index, fault)| read(&format!("[{index}]"), fault)).collect()
        }
        fault => Ok(vec![read("", fault)?]),
    });
    let faults: Vec<AnyFault> = match read {
        Ok(faults) => faults,
        Err(complaint) => return complaint.answer(&control),
    };
    // All or none: only now that each was understood.
    for fault in faults {
        match fault {
            AnyFault::Call(fault) => control.gateway.script.push(fault),
            AnyFault::Cdn(fault) => control.cdn_script.push(fault),
        }
    }
    count(&control)
}

pub(crate) async fn clear(State(control): State<Arc<Control>>) -> Response {
    control.gateway.script.clear();
    control.cdn_script.clear();
    count(&control)
}

pub(crate) async fn waiting(State(control): State<Arc<Control>>) -> Response {
    count(&control)
}

fn count(control: &Control) -> Response {
    json_response(200, &json!({"waiting": {"calls": control.gateway.script.len(), "cdn": control.cdn_script.len()}}))
}

fn read(place: &str, mut fault: Value) -> Result<AnyFault, Complaint> {
    let field = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    let Some(object) = fault.as_object_mut() else {
        return Err(Complaint::new(400, if place.is_empty() { "body" } else { place }, "a fault is a JSON object"));
    };
    let Some(cdn) = object.remove(CDN) else {
        let read = serde_path_to_error::deserialize(fault);
        return read.map(AnyFault::Call).map_err(|error| Complaint::misread(place, &error));
    };
    if let Some(other) = object.keys().next() {
        return Err(Complaint::new(400, field(other), format!("stands beside `{CDN}`: write it into it")));
    }
    let read = serde_path_to_error::deserialize(cdn);
    read.map(AnyFault::Cdn).map_err(|error| Complaint::misread(&field(CDN), &error))
}
