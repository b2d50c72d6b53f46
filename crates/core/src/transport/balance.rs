//! The account's balance: a free question, which also tells whether the key works.

use tokio::time::timeout;

use super::decision::{AttemptEnd, decide};
use super::error_message::refusal;
use super::http::Http;
use crate::attempt::SendStage;
use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::runtime::require_runtime;
use crate::wire::{Balance, ERROR_BODY_MAX, ErrorBody, Stated, parse_balance};

/// Asks for the balance.
pub(crate) async fn balance(http: &Http, settings: &Settings) -> Result<Balance, Error> {
    let failed = |kind, what: String| Error::new(kind, format!("the balance cannot be asked: {what}"));
    require_runtime()?;
    let limit = settings.timers.connect + settings.timers.read;
    let mut answer = match timeout(limit, http.ask(&settings.billing_url, &settings.authorization)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(failed(ErrorKind::Connection, error.reason)),
        Err(_) => return Err(failed(ErrorKind::Connection, "no answer came in time".to_owned()).with_timed_out(true)),
    };
    let status = answer.status();
    let body = answer.read_bounded(settings.timers.read, ERROR_BODY_MAX).await;
    if (200..300).contains(&status) {
        return parse_balance(&body, &settings.key)
            .ok_or_else(|| failed(ErrorKind::ResponseInvalid, "the answer is not a balance".to_owned()));
    }
    let body = ErrorBody::parse(&body, &settings.key);
    let said = body.message_or_default().to_owned();
    // A question is free whatever becomes of it, and may be asked again: the row of an undelivered call is the one.
    let decision = decide(&AttemptEnd::Answered { status, body }, SendStage::Unsent, Stated::Nothing, false);
    Err(failed(decision.kind, format!("{said} ({status})")).with_status(Some(status)))
}

/// Asks after an upload was cut, because a refusal may have been lost with the connection. `Some` is that refusal;
/// anything else says nothing.
pub(crate) async fn refusal_of_key(http: &Http, settings: &Settings) -> Option<Error> {
    let limit = settings.timers.connect + settings.timers.read;
    let mut answer = timeout(limit, http.ask(&settings.billing_url, &settings.authorization)).await.ok()?.ok()?;
    let status = answer.status();
    if !matches!(status, 401 | 403) {
        return None;
    }
    let body = answer.read_bounded(settings.timers.read, ERROR_BODY_MAX).await;
    let body = ErrorBody::parse(&body, &settings.key);
    let decision =
        decide(&AttemptEnd::Answered { status, body: body.clone() }, SendStage::Unsent, Stated::Nothing, false);
    let (what, advice) = refusal(decision.kind, status, &body, None);
    let message =
        format!("the upload was cut; asked afterwards: {what} ({status}): {}; {advice}", body.message_or_default());
    Some(Error::new(decision.kind, message).with_charge(decision.charge).with_status(Some(status)))
}
