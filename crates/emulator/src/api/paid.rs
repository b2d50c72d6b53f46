//! The two paid operations: read the request, generate, charge and respond.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;

use super::gateway::Gateway;
use super::paid_request::PaidRequest;
use super::read::ReadError;
use super::refusal::{self, Refusal};
use super::success;
use crate::fault::{Answer, Fault};
use crate::ledger::Call;
use crate::net::{EarlyAnswer, Note};
use crate::{Operation, Price};

pub(crate) async fn generate(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    paid(&gateway, Operation::Generate, request).await
}

pub(crate) async fn edit(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    paid(&gateway, Operation::Edit, request).await
}

async fn paid(gateway: &Gateway, operation: Operation, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let Some(Note::Call(call)) = parts.extensions.remove::<Note>() else {
        // The stream does not open a call if the head is longer than it parses.
        return refusal::malformed("The request's head is too long.".to_owned())
            .in_form(gateway.settings.get().error_form)
            .render(&crate::fault::AnswerContext {
                path: parts.uri.path(),
                request_id: "",
                client_request_id: None,
                inference_id: None,
            })
            .into_response();
    };
    let paid_request = match PaidRequest::read(operation, &parts.headers, body).await {
        Ok(paid_request) => Ok(paid_request),
        Err(ReadError::Refused(refusal)) => Err(refusal),
        // The connection is closed, so this response reaches no one.
        Err(ReadError::Lost) => return Response::default(),
    };
    if let Ok(paid_request) = &paid_request {
        let parameters = &paid_request.parameters;
        call.described(Some(&parameters.model), Some(&parameters.prompt), paid_request.images.len());
    }
    if let Some(fault) = &call.fault {
        if fault.request_cut.is_some() {
            settle_unanswered(&call, &paid_request);
            return Response::default();
        }
        if let Some(answer) = &fault.answer {
            return answer_scripted(&call, &paid_request, answer);
        }
    }
    answer(gateway, &call, paid_request).await
}

/// Handles a request without a scripted response.
async fn answer(gateway: &Gateway, call: &Call, paid_request: Result<PaidRequest, Refusal>) -> Response {
    let settings = gateway.settings.get();
    let refuse = |answer: &Answer| {
        let answer = answer.in_form(settings.error_form);
        call.answered(answer.status);
        answer.render(&call.context()).into_response()
    };
    if !call.authorized {
        return refuse(&refusal::unauthorized());
    }
    let paid_request = match paid_request {
        Ok(paid_request) => paid_request,
        Err(refusal) => return refuse(&refusal),
    };
    let price = paid_request.price();
    let charged = call.fault_charges().unwrap_or(true);
    let covered = if charged { call.charge_if_covered(price) } else { call.covered(price) };
    if !covered {
        return refuse(&refusal::out_of_credits());
    }
    let images = paid_request.parameters.n;
    let latency = settings.latency.map_or(Duration::ZERO, |latency| latency.of_call(call.seq()));
    match success::make(gateway, call, paid_request, price, latency).await {
        Ok(response) => {
            call.generated(images);
            call.answered(200);
            call.hold(latency);
            response
        }
        Err(()) => {
            if charged {
                call.refund(price);
            }
            refuse(&refusal::internal())
        }
    }
}

/// Settles a request that arrived whole and returns the scripted response to it.
fn answer_scripted(call: &Call, paid_request: &Result<PaidRequest, Refusal>, answer: &Answer) -> Response {
    let work = call.billing().charges_answer(answer.status);
    let (images, price) = volume(call, paid_request);
    call.settle_failure(work, images, price);
    call.answered(answer.status);
    answer.render(&call.context()).into_response()
}

/// Settles a request that arrived whole and is cut before any response. A request that would have been refused costs
/// nothing.
fn settle_unanswered(call: &Call, paid_request: &Result<PaidRequest, Refusal>) {
    if paid_request.is_ok() {
        let (images, price) = volume(call, paid_request);
        call.settle_failure(call.billing().charges_unanswered(), images, price);
    }
    call.unanswered();
}

/// Returns the number of images and the price that a request asks for. A request that cannot be read counts as one
/// image.
fn volume(call: &Call, paid_request: &Result<PaidRequest, Refusal>) -> (u32, Price) {
    match paid_request {
        Ok(paid_request) => (paid_request.parameters.n, paid_request.price()),
        Err(_) => (1, Price::of(call.operation, "", 1)),
    }
}

/// Returns the response that a fault sends while the request is still arriving.
pub(crate) fn early_answer(call: &Call, fault: &Fault) -> Option<EarlyAnswer> {
    let (offset, manner) = fault.early?;
    let answer = fault.answer.as_ref()?;
    let close = manner == crate::Early::HalfClose;
    let wire = answer.render(&call.context()).into_wire(close);
    Some(EarlyAnswer { offset, manner, status: answer.status, wire })
}
