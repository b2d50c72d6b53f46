//! An attempt's end in one line that says what to do next.

use std::time::Duration;

use super::retry::{End, Verdict};
use super::running::Facts;
use crate::error::{Charge, ErrorKind};

/// Everything a line may say.
pub(crate) struct Story<'a> {
    pub(crate) end: &'a End,
    pub(crate) verdict: Verdict,
    pub(crate) facts: &'a Facts,
    pub(crate) client_request_id: &'a str,
    /// What went wrong underneath, where there is more to say than the end says.
    pub(crate) reason: &'a str,
    pub(crate) retry_after: Option<Duration>,
}

pub(crate) fn explain(story: &Story<'_>) -> String {
    let id = story.client_request_id;
    let status = story.facts.http_status.map_or_else(String::new, |status| format!(" ({status})"));
    let said = match story.end {
        End::Answered { body, .. } => body.message.clone().unwrap_or_else(|| "it gave no reason".to_owned()),
        _ => story.reason.to_owned(),
    };
    match story.verdict.kind {
        ErrorKind::Connection => match story.end {
            End::Deadline => "the deadline passed before the request was sent whole; nothing was charged".to_owned(),
            _ => format!("the request was not delivered{status}: {said}; nothing was charged, try again later"),
        },
        ErrorKind::OutcomeUnknown => {
            let what = match (story.end, story.facts.http_status) {
                (End::Deadline, _) => "the deadline passed".to_owned(),
                (_, Some(300..=399)) => {
                    format!("the server redirects{status}, which a paid call never follows (check the base URL)")
                }
                (End::Answered { .. }, _) => format!("an answer that proves nothing came{status}: {said}"),
                _ => said,
            };
            format!(
                "{what}; the request had been sent whole and may be charged: do not repeat it before looking up client \
                 request id {id}"
            )
        }
        ErrorKind::Cancelled => match story.verdict.charge {
            Charge::NotCharged => "cancelled before the request was sent whole; nothing was charged".to_owned(),
            Charge::Unknown => format!("cancelled after the request was sent; it may be charged as {id}"),
            Charge::Charged => format!("cancelled while the paid answer was arriving; it was charged as {id}"),
        },
        ErrorKind::Authentication => format!("the server refused the API key{status}: {said}; check the key"),
        ErrorKind::PermissionDenied => format!("this API key may not do that{status}: {said}; use another key"),
        ErrorKind::InsufficientCredits => format!("the account is out of credits{status}: {said}; top it up"),
        ErrorKind::NotFound => format!("there is no such model or route{status}: {said}; check model and base URL"),
        ErrorKind::ModerationBlocked => {
            format!("moderation refused the request{status}: {said}; change the prompt or the images")
        }
        ErrorKind::RateLimited => match story.retry_after {
            Some(wait) => {
                format!("too many requests{status}: {said}; try again after {} s", wait.as_secs_f64().ceil().max(1.0))
            }
            None => format!("too many requests{status}: {said}; try again later, with fewer calls at once"),
        },
        ErrorKind::Server => format!(
            "the server failed{status}: {said}; the vendor says that failures are free, which is no proof: look up \
             client request id {id} before repeating"
        ),
        ErrorKind::ResponseInvalid => {
            let charged = if story.verdict.charge == Charge::Charged { "was charged" } else { "may be charged" };
            let said =
                if matches!(story.end, End::Deadline) { "the deadline passed while it was arriving" } else { &said };
            format!(
                "the answer cannot be used: {said}; the call {charged} as client request id {id}: do not repeat it blindly"
            )
        }
        ErrorKind::DownloadFailed => {
            let said =
                if matches!(story.end, End::Deadline) { "the deadline passed before it was here" } else { &said };
            format!("the picture was made and paid for, but {said}; fetch it again, it is free")
        }
        ErrorKind::Io if matches!(story.end, End::Storage) => format!(
            "the picture was paid for and came, but cannot be written: {said}; it is in memory, save it elsewhere"
        ),
        ErrorKind::Io => format!("{said} ({})", story.verdict.charge),
        ErrorKind::BadRequest
        | ErrorKind::InvalidRequest
        | ErrorKind::Config
        | ErrorKind::BudgetExceeded
        | ErrorKind::Internal => format!("the server refused the request{status}: {said}"),
    }
}
