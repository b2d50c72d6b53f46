//! A free question that tells whether the key works.

use tokio::time::timeout;

use super::exchange::{read_bounded, read_error_body};
use super::explain::{refusal, words};
use super::retry::{End, Reached, decide};
use super::{Http, within_runtime};
use crate::client::Balance;
use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::wire::{self, ERROR_BODY_MAX, ErrorBody, Stated};

/// Asks for the balance.
pub(crate) async fn balance(http: &Http, settings: &Settings) -> Result<Balance, Error> {
    let failed = |kind, what: String| Error::new(kind, format!("the balance cannot be asked: {what}"));
    within_runtime()?;
    let limit = settings.timers.connect + settings.timers.body_stall;
    let mut answer = match timeout(limit, http.ask(&settings.billing_url, &settings.authorization)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(failure)) => return Err(failed(ErrorKind::Connection, failure.reason)),
        Err(_) => return Err(failed(ErrorKind::Connection, "no answer came in time".to_owned()).with_timed_out(true)),
    };
    let status = answer.status();
    let body = read_bounded(&mut answer, settings.timers.body_stall, ERROR_BODY_MAX).await;
    if (200..300).contains(&status) {
        return wire::parse_balance(&body, &settings.key)
            .ok_or_else(|| failed(ErrorKind::ResponseInvalid, "the answer is not a balance".to_owned()));
    }
    let body = ErrorBody::parse(&body, &settings.key);
    let said = words(&body).to_owned();
    // A question is free whatever becomes of it, and may be asked again: the row of an undelivered call is the one.
    let verdict = decide(&End::Answered { status, body }, Reached::Unsent, Stated::Nothing, false);
    Err(failed(verdict.kind, format!("{said} ({status})")).with_status(Some(status)))
}

/// Asks after an upload was cut, because a refusal may have been lost with the connection. `Some` is that refusal;
/// anything else says nothing.
pub(crate) async fn lost_refusal(http: &Http, settings: &Settings) -> Option<Error> {
    let limit = settings.timers.connect + settings.timers.body_stall;
    let mut answer = timeout(limit, http.ask(&settings.billing_url, &settings.authorization)).await.ok()?.ok()?;
    let status = answer.status();
    if !matches!(status, 401 | 403) {
        return None;
    }
    let body = read_error_body(&mut answer, settings).await;
    let verdict = decide(&End::Answered { status, body: body.clone() }, Reached::Unsent, Stated::Nothing, false);
    let (what, advice) = refusal(verdict.kind, status, &body, None);
    let message = format!("the upload was cut; asked afterwards: {what} ({status}): {}; {advice}", words(&body));
    Some(Error::new(verdict.kind, message).with_charge(verdict.charge).with_status(Some(status)))
}
