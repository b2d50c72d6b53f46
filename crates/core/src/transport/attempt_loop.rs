//! The attempts of a call. Each runs in its own task, one after another, until one ends with a result or an error to
//! return.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::attempt::execute;
use super::attempt_error::AttemptError;
use super::attempt_result::{AttemptResult, RetryDecision};
use super::attempt_task::AttemptTask;
use super::backoff::backoff;
use super::balance::refusal_of_key;
use super::context::CallContext;
use super::decision::AttemptEnd;
use super::http::Http;
use super::run_timer::sleep_until_heard;
use crate::attempt::Attempt;
use crate::attempt_state::{AttemptState, SendStage};
use crate::charge::Charge;
use crate::error::{Error, ErrorKind};
use crate::fingerprint::{Pictures, fingerprint};
use crate::generated::Generated;
use crate::image::{Image, TargetFile};
use crate::progress::Progress;
use crate::random;
use crate::runtime::{blocking, require_runtime};
use crate::salvage::Salvage;
use crate::wire::ErrorBody;

/// Length of an upload, in bytes, above which a cut leads to a free check of the key before the upload is repeated.
const CHECK_KEY_ABOVE: u64 = 1 << 20;

/// Maximum number of temporary files that are opened before the request is sent. Files for further images are opened
/// when these arrive.
const TARGETS_OPEN_MAX: u32 = 16;

/// How often progress is compared with the observer's last snapshot.
const OBSERVE_EVERY: Duration = Duration::from_millis(50);

/// A call that is ready to be sent, and the loop over its attempts.
#[derive(Debug)]
pub(crate) struct AttemptLoop {
    pub(crate) http: Http,
    pub(crate) context: Arc<CallContext>,
    pub(crate) salvage: Arc<Salvage>,
}

/// The attempts of a call that have ended. All of them failed.
struct History {
    attempts: Vec<Attempt>,
    /// The error of the last attempt, while another attempt follows. If the caller stops waiting, the error goes to the
    /// salvage store, which keeps it if it may have cost something.
    unreported: Option<Error>,
    /// The states of attempts that may have been charged. They are listed as in flight until the call ends.
    may_be_charged: Vec<Arc<AttemptState>>,
    salvage: Arc<Salvage>,
}

impl History {
    /// Adds an attempt that is followed by another. `error` lists it and the attempts before it.
    fn add(&mut self, error: Error, state: Arc<AttemptState>) -> &Error {
        self.attempts = error.attempts().to_vec();
        if self.attempts.last().is_some_and(|attempt| attempt.charge != Charge::NotCharged) {
            self.may_be_charged.push(state);
        }
        self.unreported.insert(error)
    }
}

impl Drop for History {
    fn drop(&mut self) {
        if let Some(error) = self.unreported.take() {
            self.salvage.put(Err(error));
        }
    }
}

impl AttemptLoop {
    pub(crate) async fn run(self) -> Result<Generated, Error> {
        let generated = self.run_until_done().await?;
        tracing::debug!(client_request_id = generated.client_request_id(), images = %Pictures(&generated), "made");
        Ok(generated)
    }

    /// Returns whether the deadline has passed. Checked before anything is sent, because a timer of under 1 ms may fire
    /// too late.
    fn is_late(&self) -> bool {
        self.context.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    async fn run_until_done(self) -> Result<Generated, Error> {
        require_runtime()?;
        if self.is_late() {
            let text = "the deadline passed before anything was sent; nothing was charged";
            return Err(Error::new(ErrorKind::Connection, text).with_timed_out(true));
        }
        let mut history = History {
            attempts: Vec::new(),
            unreported: None,
            may_be_charged: Vec::new(),
            salvage: self.salvage.clone(),
        };
        let mut waited = Duration::ZERO;
        let mut number = 1;
        loop {
            let started = self.await_attempt(number, waited, &history.attempts).await;
            // From here on, the returned error or result lists all attempts.
            history.unreported = None;
            // On an error, nothing of this attempt was sent. The history says what the earlier attempts cost.
            let (attempt_result, state) =
                started.map_err(|error| error.with_attempts(std::mem::take(&mut history.attempts)))?;
            let retry = attempt_result.retry;
            let result = attempt_result.into_result(&history.attempts);
            let RetryDecision::After { retry_after, cut } = retry else { return result };
            let error = match result {
                Ok(generated) => return Ok(generated),
                Err(error) if number >= self.context.max_attempts => return Err(error),
                Err(error) => error,
            };
            let timers = &self.context.settings.timers;
            let (first, longest) = (timers.initial_backoff, timers.max_backoff);
            waited = backoff(number, first, longest, retry_after, random::fraction());
            if self.context.deadline.is_some_and(|deadline| Instant::now() + waited >= deadline) {
                return Err(error);
            }
            let error = history.add(error, state);
            let paused = self.pause(error, waited, cut).await;
            if let Err(stopped) = paused {
                history.unreported = None;
                return Err(stopped);
            }
            number += 1;
        }
    }

    /// Waits before the attempt that follows `error`. Returns an error if there must not be another attempt.
    async fn pause(&self, error: &Error, pause: Duration, cut: bool) -> Result<(), Error> {
        tracing::info!(attempts = error.attempts().len(), wait = ?pause, kind = %error.kind(), "trying again");
        if let Some(last) = error.attempts().last() {
            self.notify(Progress {
                attempt: last.number,
                client_request_id: last.client_request_id.clone(),
                max_attempts: self.context.max_attempts,
                phase: last.phase,
                bytes_sent: last.bytes_sent,
                bytes_total: last.bytes_total,
                bytes_received: 0,
                pause: Some(pause),
            });
        }
        let waiting = async {
            sleep(pause).await;
            if cut && self.context.body.len() > CHECK_KEY_ABOVE {
                return refusal_of_key(&self.http, &self.context.settings).await;
            }
            None
        };
        tokio::select! {
            refusal = waiting => match refusal {
                Some(refusal) => Err(refusal.with_attempts(error.attempts().to_vec())),
                None => Ok(()),
            },
            stop = self.wait_for_stop() => Err(self.error_between_attempts(&stop, error)),
        }
    }

    /// Starts one attempt and waits for its result. If the deadline passes or the call is cancelled, returns the result
    /// as far as it is known. `history` lists the attempts before it. Returns an error if the attempt was not started.
    async fn await_attempt(
        &self,
        number: u32,
        waited: Duration,
        history: &[Attempt],
    ) -> Result<(AttemptResult, Arc<AttemptState>), Error> {
        let files = self.open_targets().await?;
        let id = format!("gptimage-{}", random::token());
        let state = Arc::new(AttemptState::new(number, id, waited, self.context.body.len()));
        let reservation = match &self.context.budget {
            Some((budget, price_key)) => Some(budget.reserve(price_key, &state)?),
            None => None,
        };
        self.salvage.track(&state);
        let work = {
            let (http, context, state) = (self.http.clone(), self.context.clone(), state.clone());
            async move { execute(&http, &context, &state, files, reservation).await }
        };
        // Notify before the task exists, and so before anything is sent: then the observer has the id even if this
        // process is killed at any later moment.
        let notified = state.progress(self.context.max_attempts);
        self.notify(notified.clone());
        tracing::info!(
            client_request_id = state.client_request_id(),
            number,
            bytes = self.context.body.len(),
            // The hash covers the body's description, because input files are not read for a log line.
            sha256 = fingerprint(self.context.body.describe().as_bytes()),
            "sending"
        );
        let abort = self.context.settings.abort_on_cancel;
        let mut task = AttemptTask::spawn(work, state.clone(), history.into(), self.salvage.clone(), abort);
        let stop = tokio::select! {
            biased;
            result = task.wait() => {
                self.notify(state.progress(self.context.max_attempts));
                return Ok((result, state));
            }
            stop = self.wait_for_stop() => stop,
            never = self.observe(&state, notified) => match never {},
        };
        state.close_unless_paid();
        let result = task.take().unwrap_or_else(|| self.result_when_stopped(stop, &task));
        Ok((result, state))
    }

    /// Notifies the observer of every change after `notified`, for as long as the future is polled.
    async fn observe(&self, state: &AttemptState, mut notified: Progress) -> Infallible {
        if self.context.observer.is_none() {
            return pending().await;
        }
        loop {
            let progress = state.progress(self.context.max_attempts);
            if notified != progress {
                self.notify(progress.clone());
                notified = progress;
            }
            sleep(OBSERVE_EVERY).await;
        }
    }

    fn notify(&self, progress: Progress) {
        if let Some(observer) = &self.context.observer {
            observer.notify(&progress);
        }
    }

    /// Opens a temporary file for each image before money is spent. This also starts the thread that is needed when the
    /// images arrive.
    async fn open_targets(&self) -> Result<Vec<TargetFile>, Error> {
        let (target, count) = (self.context.target.clone(), self.context.asked.min(TARGETS_OPEN_MAX));
        let opened = blocking(move || (0..count).filter_map(|_| Some(target.as_ref()?.create())).collect()).await;
        opened.map_err(|error| Error::io("the target cannot be opened", error))?
    }

    /// Waits for the deadline or the cancel token, whichever comes first.
    async fn wait_for_stop(&self) -> AttemptEnd {
        let deadline = async {
            match self.context.deadline {
                Some(deadline) => sleep_until_heard(deadline).await,
                None => pending().await,
            }
        };
        let cancelled = async {
            match &self.context.cancel {
                Some(token) => token.cancelled().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = deadline => AttemptEnd::Deadline,
            () = cancelled => AttemptEnd::Cancelled,
        }
    }

    /// Returns the result, as far as it is known, of an attempt whose caller stops waiting.
    fn result_when_stopped(&self, stop: AttemptEnd, task: &AttemptTask) -> AttemptResult {
        let state = task.attempt();
        let metadata = state.metadata();
        let timed_out = stop == AttemptEnd::Deadline;
        // An error status is a refusal, even if its message did not arrive in time.
        let end = match metadata.http_status {
            Some(status @ (100..=199 | 300..)) => AttemptEnd::Answered { status, body: ErrorBody::default() },
            _ => stop,
        };
        let generated = (state.stage() == SendStage::Located).then(|| {
            let images = metadata.urls.iter().cloned().map(Image::at_url).collect();
            Generated::without_attempts(images, metadata.price.known().or_none(), Vec::new(), Value::Null)
        });
        // A task that continues leaves its result to the salvage store. With `abort_on_cancel` no task continues, but
        // earlier attempts that may have been charged are kept.
        let free_before = task.history().iter().all(|attempt| attempt.charge == Charge::NotCharged);
        let given_up = self.context.settings.abort_on_cancel;
        let runs_on = state.may_be_paid() && (!given_up || (!timed_out && free_before));
        let error = AttemptError { timed_out, generated, ..AttemptError::new(end, "") };
        AttemptResult::failure(&self.context, state, error).without_retry(runs_on)
    }

    /// Returns the error of a call that is stopped between two attempts. `error` is that of the last attempt.
    fn error_between_attempts(&self, stop: &AttemptEnd, error: &Error) -> Error {
        let (kind, what) = match stop {
            AttemptEnd::Deadline => (ErrorKind::Connection, "the deadline passed"),
            _ => (ErrorKind::Cancelled, "cancelled"),
        };
        Error::new(kind, format!("{what} before another attempt; the last one: {error}"))
            .with_charge(error.charge())
            .with_status(error.http_status())
            .with_timed_out(*stop == AttemptEnd::Deadline)
            .with_attempts(error.attempts().to_vec())
    }
}
