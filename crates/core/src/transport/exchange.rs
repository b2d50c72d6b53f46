//! Sending one request and waiting for the answer's head, under the phase timers.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use super::gate::Passed;
use super::http::{Answer, Failure};
use super::retry::End;
use super::running::Running;
use super::upload::Upload;
use super::{Http, Plan};
use crate::attempt::Phase;
use crate::config::{Settings, Timers};
use crate::secret::ApiKey;
use crate::text;
use crate::wire::{ERROR_BODY_MAX, ErrorBody, cost_from_headers, header};

/// An exchange that ended without a head, for the decision table and in words.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) end: End,
    pub(crate) reason: String,
    pub(crate) timed_out: bool,
    /// The system's number of the error underneath.
    pub(crate) os_error: Option<i32>,
}

/// Sends the request and returns once a head came.
pub(crate) async fn send(http: &Http, plan: &Plan, running: &Running) -> Result<Answer, Broken> {
    let upload = Upload::new(&plan.body, running.gate.clone());
    let id = running.client_request_id();
    let answer = http.post(&plan.url, &plan.settings.authorization, id, &plan.body.content_type, upload);
    tokio::pin!(answer);
    let started = Instant::now();
    let timers = &plan.settings.timers;
    // A phase that begins while we sleep cannot end before this: nobody has to wake us when it begins.
    let shortest = timers.connect.min(timers.send_stall).min(timers.head);
    loop {
        let (until, _) = next_timer(timers, started, &running.gate.look());
        let until = until.min(Instant::now() + shortest);
        tokio::select! {
            answer = &mut answer => return answer.map_err(|failure| broken(running, failure)),
            () = sleep_until(until) => {
                // The gate may have moved since; what it shows now decides.
                let (until, wait) = next_timer(timers, started, &running.gate.look());
                if until > Instant::now() {
                    continue;
                }
                if running.gate.close_unless_whole().is_whole() && wait != Wait::Head {
                    continue;
                }
                running.gate.close();
                return Err(Broken { end: End::Lost, reason: wait.ran_out().to_owned(), timed_out: true, os_error: None });
            }
        }
    }
}

/// A phase that has a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Connect,
    Upload,
    Head,
}

impl Wait {
    fn ran_out(self) -> &'static str {
        match self {
            Self::Connect => "no connection came about in time",
            Self::Upload => "the upload stood still",
            Self::Head => "no answer came in time",
        }
    }
}

/// The timer of the phase that the gate shows.
fn next_timer(timers: &Timers, started: Instant, passed: &Passed) -> (Instant, Wait) {
    if passed.is_whole() {
        (passed.moved + timers.head, Wait::Head)
    } else if passed.started {
        (passed.moved + timers.send_stall, Wait::Upload)
    } else {
        (started + timers.connect, Wait::Connect)
    }
}

fn broken(running: &Running, failure: Failure) -> Broken {
    running.gate.close();
    if let Some(failure) = running.gate.failure() {
        return Broken { end: End::Input, reason: failure.to_string(), timed_out: false, os_error: None };
    }
    let end = if failure.connecting { End::NotConnected } else { End::Lost };
    Broken { end, reason: failure.reason, timed_out: false, os_error: failure.os_error }
}

/// Notes what the head says.
pub(crate) fn note_head(answer: &Answer, running: &Running, key: &ApiKey, warnings: &mut Vec<crate::Warning>) {
    let cost = cost_from_headers(|name| answer.header(name), key, warnings);
    let id = |name| answer.header(name).filter(|id| !id.is_empty()).map(|id| text::shorten(&key.redact(id), 128));
    running.update(|facts| {
        facts.phase = Some(Phase::HeadReceived);
        facts.http_status = Some(answer.status());
        facts.inference_id = id(header::INFERENCE_ID);
        facts.request_id = id(header::REQUEST_ID);
        facts.cost = cost;
    });
}

/// Reads the body of an answer that is no success, bounded in size and time; what is missing of it is missing.
pub(crate) async fn read_error_body(answer: &mut Answer, settings: &Settings) -> ErrorBody {
    ErrorBody::parse(&read_bounded(answer, settings.timers.body_stall, ERROR_BODY_MAX).await, &settings.key)
}

/// Reads a small body, or as much of it as comes within `limit`.
pub(crate) async fn read_bounded(answer: &mut Answer, limit: Duration, max: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= max {
                break;
            }
        }
    };
    // What did not come by then is missing.
    let _ = timeout(limit, reading).await;
    body.truncate(max);
    body
}
