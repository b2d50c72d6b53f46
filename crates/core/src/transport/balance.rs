//! Requests the account's balance, which is free and also shows whether the key works.

use tokio::time::timeout;

use super::decision::refusal_kind;
use super::error_message::refusal;
use super::http::Http;
use crate::config::Settings;
use crate::error::{Error, ErrorKind};
use crate::runtime::require_runtime;
use crate::wire::{Balance, ERROR_BODY_MAX, ErrorBody, parse_balance};

/// Requests the balance.
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
    Err(failed(refusal_kind(status, &body), format!("{said} ({status})")).with_status(Some(status)))
}

/// Checks the key after an upload was cut, because a refusal may have been lost with the connection. Returns the
/// gateway's refusal of the key. `None` proves nothing.
pub(crate) async fn refusal_of_key(http: &Http, settings: &Settings) -> Option<Error> {
    let limit = settings.timers.connect + settings.timers.read;
    let mut answer = timeout(limit, http.ask(&settings.billing_url, &settings.authorization)).await.ok()?.ok()?;
    let status = answer.status();
    if !matches!(status, 401 | 403) {
        return None;
    }
    let body = answer.read_bounded(settings.timers.read, ERROR_BODY_MAX).await;
    let body = ErrorBody::parse(&body, &settings.key);
    let kind = refusal_kind(status, &body);
    let (what, advice) = refusal(kind, status, &body, None);
    let message =
        format!("the upload was cut; asked afterwards: {what} ({status}): {}; {advice}", body.message_or_default());
    Some(Error::new(kind, message).with_status(Some(status)))
}
