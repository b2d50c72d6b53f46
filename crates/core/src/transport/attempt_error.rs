//! The error of an attempt.

use std::io;
use std::time::Duration;

use super::decision::AttemptEnd;
use super::http::Failure;
use crate::error::KeptAnswer;
use crate::generated::Generated;
use crate::wire::Task;

/// Why an attempt has no result, and everything that was received nevertheless.
#[derive(Debug)]
pub(crate) struct AttemptError {
    pub(crate) end: AttemptEnd,
    /// Details, if there is more to say than `end` does.
    pub(crate) reason: String,
    /// The part of the exchange that failed, which determines the advice.
    pub(crate) failure: Failure,
    /// Whether one of our timers ended the attempt.
    pub(crate) timed_out: bool,
    pub(crate) retry_after: Option<Duration>,
    /// The beginning of a response that cannot be used.
    pub(crate) response_body: Option<String>,
    pub(crate) kept_answer: Option<KeptAnswer>,
    pub(crate) task: Option<Task>,
    /// The part of the result that was paid for and arrived.
    pub(crate) generated: Option<Generated>,
    pub(crate) source: Option<io::Error>,
}

impl AttemptError {
    pub(crate) fn new(end: AttemptEnd, reason: impl Into<String>) -> Self {
        Self {
            end,
            reason: reason.into(),
            failure: Failure::Other,
            timed_out: false,
            retry_after: None,
            response_body: None,
            kept_answer: None,
            task: None,
            generated: None,
            source: None,
        }
    }
}
