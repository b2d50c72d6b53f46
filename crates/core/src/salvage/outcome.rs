//! Results of calls whose callers stopped waiting, and their summary before they are collected.

use serde::Serialize;

use crate::attempt::{Attempt, Phase};
use crate::error::Error;
use crate::generated::Generated;

pub(super) type Outcome = Result<Generated, Error>;

/// A call that may be charged and whose result was not delivered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pending {
    /// The client request id of the last attempt. `None` if the call ended before its first attempt.
    pub client_request_id: Option<String>,
    /// The phase that the attempt reached.
    pub phase: Phase,
    /// Whether the call has ended and its result waits for [`Client::collect`](crate::Client::collect).
    pub ended: bool,
}

pub(super) fn generated(outcome: &Outcome) -> Option<&Generated> {
    match outcome {
        Ok(generated) => Some(generated),
        Err(error) => error.generated(),
    }
}

pub(super) fn attempts(outcome: &Outcome) -> &[Attempt] {
    match outcome {
        Ok(generated) => generated.attempts(),
        Err(error) => error.attempts(),
    }
}

pub(super) fn ended(outcome: &Outcome) -> Pending {
    ended_after(attempts(outcome).last().map(|last| (last.client_request_id.as_str(), last.phase)))
}

/// Summarises a result that waits to be collected, from its last attempt.
pub(super) fn ended_after(last: Option<(&str, Phase)>) -> Pending {
    Pending {
        client_request_id: last.map(|(id, _)| id.to_owned()),
        phase: last.map_or(Phase::Planned, |(_, phase)| phase),
        ended: true,
    }
}

pub(super) fn memory(outcome: &Outcome) -> u64 {
    /// Estimated size of a result without its images, in bytes.
    const ENTRY: u64 = 4096;
    let text = outcome.as_ref().err().and_then(Error::response_body).map_or(0, str::len) as u64;
    let images = generated(outcome).map(Generated::images).unwrap_or_default();
    ENTRY + text + images.iter().filter_map(|image| image.bytes()).map(|bytes| bytes.len() as u64).sum::<u64>()
}

pub(super) fn ids(outcome: &Outcome) -> Vec<&str> {
    attempts(outcome).iter().map(|attempt| attempt.client_request_id.as_str()).collect()
}
