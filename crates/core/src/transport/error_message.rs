//! Writes the message of an attempt's error: one line that says what to do next, with only advice that can work.

use std::borrow::Cow;
use std::time::Duration;

use super::attempt_error::AttemptError;
use super::decision::{AttemptEnd, Decision};
use super::http::Failure;
use crate::charge::Charge;
use crate::error::ErrorKind;
use crate::wire::{BodyForm, ErrorBody};

/// Writes the message.
pub(crate) fn error_message(
    error: &AttemptError,
    decision: Decision,
    http_status: Option<u16>,
    client_request_id: &str,
) -> String {
    let said = match &error.end {
        AttemptEnd::Answered { body, .. } => body.message_or_default(),
        _ => &error.reason,
    };
    let status = http_status.map_or_else(String::new, |status| format!(" ({status})"));
    let message = Message { error, charge: decision.charge, http_status, status, said, id: client_request_id };
    match decision.kind {
        ErrorKind::Connection => message.not_delivered(),
        ErrorKind::OutcomeUnknown => message.outcome_unknown(),
        ErrorKind::Cancelled => message.cancelled(),
        ErrorKind::Server => message.server_failed(),
        ErrorKind::ResponseInvalid => message.response_invalid(),
        ErrorKind::DownloadFailed => message.download_failed(),
        ErrorKind::Io => message.io(),
        kind => message.refused(kind),
    }
}

/// The parts that messages are written from.
struct Message<'a> {
    error: &'a AttemptError,
    charge: Charge,
    http_status: Option<u16>,
    /// The status in parentheses, after a space. Empty without a response.
    status: String,
    /// The server's own message, or the reason.
    said: &'a str,
    /// The client request id.
    id: &'a str,
}

impl Message<'_> {
    fn not_delivered(&self) -> String {
        let Self { error, status, said, .. } = self;
        match error.end {
            AttemptEnd::Deadline => {
                "the deadline passed before the request was sent whole; nothing was charged".to_owned()
            }
            AttemptEnd::NotConnected { permanent: true } => {
                format!("the request was not delivered: {said}; nothing was charged")
            }
            _ => {
                let then = match self.charge {
                    Charge::NotCharged => {
                        format!("nothing was charged, {}", undelivered_advice(&error.end, error.failure))
                    }
                    charge => stated_price(charge, self.id),
                };
                format!("the request was not delivered{status}: {said}; {then}")
            }
        }
    }

    fn outcome_unknown(&self) -> String {
        let Self { status, said, id, .. } = self;
        let what = match (&self.error.end, self.http_status) {
            (AttemptEnd::Deadline, _) => "the deadline passed".to_owned(),
            (_, Some(300..=399)) => {
                format!("the server redirects{status}, which a paid call never follows (check the base URL)")
            }
            (AttemptEnd::Answered { .. }, _) => format!("an answer that proves nothing came{status}: {said}"),
            _ => (*said).to_owned(),
        };
        format!(
            "{what}; the request had been sent whole and may be charged: do not repeat it before looking up client \
             request id {id}"
        )
    }

    fn cancelled(&self) -> String {
        let id = self.id;
        match self.charge {
            Charge::NotCharged => "cancelled before the request was sent whole; nothing was charged".to_owned(),
            Charge::Unknown => format!("cancelled after the request was sent; it may be charged as {id}"),
            Charge::Charged => format!("cancelled while the paid answer was arriving; it was charged as {id}"),
        }
    }

    fn server_failed(&self) -> String {
        let Self { status, said, id, .. } = self;
        format!(
            "the server failed{status}: {said}; the vendor says that failures are free, which is no proof: look up \
             client request id {id} before repeating"
        )
    }

    fn response_invalid(&self) -> String {
        let Self { error, said, id, .. } = self;
        let charged = if self.charge == Charge::Charged { "was charged" } else { "may be charged" };
        let said = match error.end {
            AttemptEnd::Deadline => "the deadline passed while it was arriving",
            _ => said,
        };
        format!(
            "the answer cannot be used: {said}; the call {charged} as client request id {id}: do not repeat it blindly"
        )
    }

    /// The reason already says whether the image can be downloaded again.
    fn download_failed(&self) -> String {
        let Self { error, said, id, .. } = self;
        let said = match error.end {
            AttemptEnd::Deadline => "the deadline passed before it was here; fetch it again, it is free",
            _ => said,
        };
        format!("the picture was made and paid for as client request id {id}, but {said}")
    }

    fn io(&self) -> String {
        let said = self.said;
        match self.error.end {
            AttemptEnd::Storage => format!(
                "the picture was paid for and came, but cannot be written: {said}; it is in memory, save it elsewhere"
            ),
            _ => format!("{said} ({})", self.charge),
        }
    }

    fn refused(&self, kind: ErrorKind) -> String {
        let Self { error, status, said, .. } = self;
        let (what, advice) = match &error.end {
            AttemptEnd::Answered { status, body } => refusal(kind, *status, body, error.retry_after),
            _ => ("the server refused the request", Cow::Borrowed("")),
        };
        let then = match self.charge {
            Charge::NotCharged => advice,
            charge => stated_price(charge, self.id).into(),
        };
        let stop = if then.is_empty() { "" } else { "; " };
        format!("{what}{status}: {said}{stop}{then}")
    }
}

/// Returns the advice for a refusal whose response states a price.
fn stated_price(charge: Charge, id: &str) -> String {
    match charge {
        Charge::Charged => {
            format!("the server states a price, so it was charged as client request id {id}: do not repeat it blindly")
        }
        _ => format!("it may be charged: do not repeat it before looking up client request id {id}"),
    }
}

/// Returns the meaning of a refusal of this kind and the advice. The advice is empty if the server's message suffices.
pub(crate) fn refusal(
    kind: ErrorKind,
    status: u16,
    body: &ErrorBody,
    retry_after: Option<Duration>,
) -> (&'static str, Cow<'static, str>) {
    let is_page = body.form == BodyForm::Page;
    let (what, advice) = match kind {
        ErrorKind::Authentication => (
            "the server refused the API key",
            if is_page {
                "a web page came, not the API: check the base URL, then check the key"
            } else if body.vendor_envelope {
                "check the key"
            } else {
                "check the key, and that it belongs to this base URL"
            },
        ),
        ErrorKind::PermissionDenied if body.vendor_envelope => ("this API key may not do that", "use another key"),
        // Firewalls and proxies send 403 too, and know nothing about keys.
        ErrorKind::PermissionDenied => (
            "the request was refused",
            match body.form {
                BodyForm::Silent | BodyForm::Json => "check the base URL, and what this account may do there",
                BodyForm::Page | BodyForm::Text => {
                    "that is not the API's own answer: check the base URL, and whether a firewall or proxy is in the way"
                }
            },
        ),
        ErrorKind::InsufficientCredits => ("the account is out of credits", "top it up"),
        ErrorKind::NotFound if is_page => {
            ("there is no such route", "a web page came, not the API: check the base URL")
        }
        ErrorKind::NotFound if body.names_model => {
            ("there is no such model", "check its name, and that this base URL offers it")
        }
        ErrorKind::NotFound => ("there is no such model or route", "check model and base URL"),
        ErrorKind::ModerationBlocked => ("moderation refused the request", "change the prompt or the images"),
        ErrorKind::RateLimited => {
            let advice = match retry_after {
                Some(wait) => format!("try again after {} s", wait.as_secs_f64().ceil().max(1.0)).into(),
                None => "try again later, with fewer calls at once".into(),
            };
            return ("too many requests", advice);
        }
        _ => (
            "the server refused the request",
            match status {
                413 => "send smaller images, or fewer",
                405 if is_page => "a web page came, not the API: check the base URL",
                405 => "check the base URL",
                407 => "the proxy wants a user name and password: give them in the proxy's URL",
                415 => "check the images' formats and the base URL",
                414 | 431 => "send fewer or shorter headers of your own",
                426 | 505 => "this base URL does not speak HTTP/1.1: use another",
                _ if is_page => "a web page came, not the API: check the base URL",
                _ => "",
            },
        ),
    };
    (what, Cow::Borrowed(advice))
}

/// The advice for a request that was not delivered.
fn undelivered_advice(end: &AttemptEnd, failure: Failure) -> &'static str {
    if matches!(end, AttemptEnd::Answered { .. }) {
        return "try again later";
    }
    match failure {
        Failure::Certificate => {
            "and trying again changes nothing: check the base URL, and whose certificates are trusted (a CA file)"
        }
        Failure::Tls => "and trying again changes little: check that the base URL and the proxy speak TLS",
        Failure::Proxy => "check the proxy",
        Failure::Dns => "check the base URL and the network",
        Failure::Refused => "check the base URL and the network, or try again later",
        Failure::Forbidden | Failure::Other => "try again later",
    }
}

#[cfg(test)]
#[path = "error_message_tests.rs"]
mod tests;
