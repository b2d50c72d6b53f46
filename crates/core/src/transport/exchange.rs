//! Sending one request and waiting for the answer's head, under the phase timers.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::gate::Passed;
use super::http::{Answer, Failure};
use super::retry::End;
use super::run_timer::RunTimer;
use super::running::Running;
use super::upload::Upload;
use super::{Http, Plan};
use crate::attempt;
use crate::config::{Settings, Timers};
use crate::secret::ApiKey;
use crate::text;
use crate::wire::{ERROR_BODY_MAX, ErrorBody, Price, header};

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
    let timers = &plan.settings.timers;
    // A phase that begins while we sleep must not end before we wake: nobody has to wake us when it begins.
    let tick = timers.connect.min(timers.send_stall).min(timers.head) / 8;
    let mut phase = Phase::of(&running.gate.look());
    let mut timer = RunTimer::with_tick(phase.wait.limit(timers), tick.min(Duration::from_secs(1)));
    loop {
        let ran_out = tokio::select! {
            biased;
            answer = &mut answer => return answer.map_err(|failure| broken(running, failure)),
            ran_out = timer.tick() => ran_out,
        };
        // The gate may have moved since; what it shows now decides.
        let now = Phase::of(&running.gate.look());
        if now != phase {
            phase = now;
            timer = RunTimer::with_tick(phase.wait.limit(timers), tick.min(Duration::from_secs(1)));
        } else if ran_out {
            if running.gate.close_unless_whole().is_whole() && phase.wait != Wait::Head {
                continue;
            }
            running.gate.close();
            let way = if phase.wait == Wait::Connect { http.by_way_of() } else { String::new() };
            let reason = format!("{}{way}", phase.wait.ran_out());
            return Err(Broken { end: End::Lost, reason, timed_out: true, os_error: None });
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
    fn limit(self, timers: &Timers) -> Duration {
        match self {
            Self::Connect => timers.connect,
            Self::Upload => timers.send_stall,
            Self::Head => timers.head,
        }
    }

    fn ran_out(self) -> &'static str {
        match self {
            Self::Connect => "no connection came about in time",
            Self::Upload => "the upload stood still",
            Self::Head => "no answer came in time",
        }
    }
}

/// What the gate shows: a timer begins again when it moves.
#[derive(Debug, PartialEq, Eq)]
struct Phase {
    wait: Wait,
    moved: Option<Instant>,
}

impl Phase {
    fn of(passed: &Passed) -> Self {
        let wait = match (passed.started, passed.is_whole()) {
            (_, true) => Wait::Head,
            (true, false) => Wait::Upload,
            (false, false) => Wait::Connect,
        };
        Self { wait, moved: passed.started.then_some(passed.moved) }
    }
}

fn broken(running: &Running, failure: Failure) -> Broken {
    running.gate.close();
    if let Some(failure) = running.gate.failure() {
        return Broken { end: End::Input, reason: failure.to_string(), timed_out: false, os_error: None };
    }
    let end = match (failure.connecting, failure.lasting) {
        (true, true) => End::Barred,
        (true, false) => End::NotConnected,
        (false, _) => End::Lost,
    };
    Broken { end, reason: failure.reason, timed_out: false, os_error: failure.os_error }
}

/// Notes what the head says.
pub(crate) fn note_head(answer: &Answer, running: &Running, key: &ApiKey, warnings: &mut Vec<crate::Warning>) {
    let price = Price::from_headers(|name| answer.header_values(name), key, warnings);
    let id = |name| answer.header(name).filter(|id| !id.is_empty()).map(|id| text::shorten(&key.redact(id), 128));
    running.update(|facts| {
        facts.phase = Some(attempt::Phase::HeadReceived);
        facts.http_status = Some(answer.status());
        facts.inference_id = id(header::INFERENCE_ID);
        facts.request_id = id(header::REQUEST_ID);
        facts.price = price;
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
