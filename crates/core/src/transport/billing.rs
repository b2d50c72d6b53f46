//! A free question that tells whether the key works.

use tokio::time::timeout;

use super::Http;
use super::exchange::read_error_body;
use super::retry::{End, Reached, decide};
use crate::config::Settings;
use crate::error::Error;

/// Asks after an upload was cut, because a refusal may have been lost with the connection. `Some` is that refusal;
/// anything else says nothing.
pub(crate) async fn lost_refusal(http: &Http, settings: &Settings) -> Option<Error> {
    let limit = settings.timers.connect + settings.timers.body_stall;
    let mut answer = timeout(limit, http.ask(&settings.billing_url, &settings.authorization)).await.ok()?.ok()?;
    let status = answer.status();
    if !matches!(status, 401 | 403) {
        return None;
    }
    let body = read_error_body(&mut answer, settings.timers.body_stall).await;
    let said = body.message.clone().unwrap_or_else(|| "it gave no reason".to_owned());
    let verdict = decide(&End::Answered { status, body }, Reached::Unsent, false);
    let message = format!("the upload was cut, and the server refuses the API key ({status}): {said}; check the key");
    Some(Error::new(verdict.kind, message).with_charge(verdict.charge).with_status(Some(status)))
}
