//! The gateway's own error responses, in the form seen on the live API.

use std::time::Duration;

use crate::fault::{Answer, ErrorBody, Issue};

/// An error response. Boxed, because it is returned as an error.
pub(crate) type Refusal = Box<Answer>;

fn refused(status: u16, body: ErrorBody) -> Refusal {
    Box::new(Answer::error(status, body))
}

pub(crate) fn unauthorized() -> Refusal {
    let message = "Missing or invalid API key. Send it as `Authorization: Bearer <key>`.";
    refused(401, ErrorBody::problem_kind(message, "err_unauthorized"))
}

/// The spelling of the kind is the vendor's.
pub(crate) fn out_of_credits() -> Refusal {
    let message = "You have run out of credits. Top up your balance to go on.";
    refused(403, ErrorBody::problem_kind(message, "err_insufficent_credits"))
}

pub(crate) fn unknown_route() -> Refusal {
    refused(404, ErrorBody::problem_kind("There is no such route.", "err_route_not_found"))
}

pub(crate) fn unknown_model(model: &str) -> Refusal {
    let message = format!("There is no model {model:?}.");
    refused(404, ErrorBody::problem_kind(message, "err_model_not_found"))
}

pub(crate) fn method_not_allowed() -> Refusal {
    refused(405, ErrorBody::problem_kind("This route does not take that method.", "err_method_not_allowed"))
}

pub(crate) fn too_large(limit: u64) -> Refusal {
    let message = format!("The request's body is larger than {limit} bytes.");
    refused(413, ErrorBody::problem_kind(message, "err_payload_too_large"))
}

pub(crate) fn wrong_content_type(expected: &str) -> Refusal {
    let message = format!("This route takes {expected}.");
    refused(415, ErrorBody::problem_kind(message, "err_unsupported_media_type"))
}

pub(crate) fn too_many_calls(wait: Duration) -> Refusal {
    let message = "Too many requests: at most 200 in 60 seconds.";
    let mut refusal = refused(429, ErrorBody::problem_kind(message, "err_too_many_requests"));
    let seconds = wait.as_secs_f64().ceil();
    refusal.headers.push(("retry-after".to_owned(), format!("{seconds}")));
    refusal
}

pub(crate) fn invalid(issues: Vec<Issue>) -> Refusal {
    refused(400, ErrorBody::problem_list("Invalid payload provided", issues))
}

pub(crate) fn malformed(message: String) -> Refusal {
    let issue = Issue { code: "malformed".to_owned(), path: Vec::new(), message };
    refused(400, ErrorBody::problem_list("Body validation error!", vec![issue]))
}

pub(crate) fn internal() -> Refusal {
    refused(500, ErrorBody::problem_kind("The picture could not be made.", "err_internal"))
}
