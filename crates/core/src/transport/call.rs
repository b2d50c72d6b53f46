//! A call: attempts one after another, each in a task of its own, until one ends in something to report.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use url::Url;

use super::Http;
use super::attempt::{Again, Concluded, Failed, conclude, run};
use super::billing::lost_refusal;
use super::crowd::Crowd;
use super::handoff::Handoff;
use super::retry::{End, Reached, wait};
use super::run_timer::sleep_until_heard;
use super::running::Running;
use crate::attempt::Attempt;
use crate::budget::{Budget, Calls};
use crate::cancel::CancelToken;
use crate::config::Settings;
use crate::error::{Charge, Error, ErrorKind};
use crate::file_work::blocking;
use crate::fingerprint::{Pictures, fingerprint};
use crate::generated::Generated;
use crate::image::{Image, Target, TargetFile};
use crate::progress::{Observer, Progress};
use crate::random;
use crate::request::Request;
use crate::salvage::Salvage;
use crate::wire::{Body, ErrorBody};

/// A cut upload of more than this is not sent again before the key was tried on something free.
const ASK_FIRST_ABOVE: u64 = 1 << 20;

/// So many temporary files are opened beforehand; those of more pictures are opened when they come.
const TARGETS_OPEN_MAX: u32 = 16;

/// An observer is told of changes this often.
const OBSERVE_EVERY: Duration = Duration::from_millis(50);

/// What all attempts of a call share.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Arc<Settings>,
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) url: Url,
    pub(crate) body: Body,
    pub(crate) request: Request,
    /// How many pictures are asked for.
    pub(crate) asked: u32,
    pub(crate) target: Option<Arc<Target>>,
    pub(crate) max_attempts: u32,
    pub(crate) fetch: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) observer: Option<Observer>,
    /// What the call counts against, and as what.
    pub(crate) budget: Option<(Budget, Calls)>,
}

/// One call on its way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) http: Http,
    pub(crate) plan: Arc<Plan>,
    pub(crate) salvage: Arc<Salvage>,
}

impl Call {
    pub(crate) async fn run(self) -> Result<Generated, Error> {
        let made = self.attempts().await?;
        tracing::debug!(client_request_id = made.client_request_id(), images = %Pictures(&made), "made");
        Ok(made)
    }

    /// Timers tick in milliseconds, and a machine nearby is faster.
    fn is_late(&self) -> bool {
        self.plan.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    async fn attempts(self) -> Result<Generated, Error> {
        within_runtime()?;
        let mut attempts = Vec::new();
        let mut unreported = Unreported { error: None, running: Vec::new(), salvage: self.salvage.clone() };
        let mut waited = Duration::ZERO;
        let mut number = 1;
        if self.is_late() {
            let text = "the deadline passed before anything was sent; nothing was charged";
            return Err(Error::new(ErrorKind::Connection, text).with_timed_out(true));
        }
        loop {
            let concluded = self.attempt(number, waited, attempts).await;
            // What came now lists what was before.
            unreported.error = None;
            let (Concluded { result, again }, running) = concluded?;
            let Again::After { retry_after, cut } = again else { return result };
            let error = match result {
                Ok(generated) => return Ok(generated),
                Err(error) if number >= self.plan.max_attempts => return Err(error),
                Err(error) => error,
            };
            let timers = &self.plan.settings.timers;
            waited = wait(number, timers.backoff_first, timers.backoff_longest, retry_after, random::dice());
            if self.plan.deadline.is_some_and(|deadline| Instant::now() + waited >= deadline) {
                return Err(error);
            }
            if error.attempts().last().is_some_and(|attempt| attempt.charge != Charge::NotCharged) {
                unreported.running.push(running);
            }
            let error = unreported.error.insert(error);
            attempts = error.attempts().to_vec();
            let paused = self.pause(error, waited, cut).await;
            if let Err(stopped) = paused {
                unreported.error = None;
                return Err(stopped);
            }
            number += 1;
        }
    }

    /// Waits before the attempt that follows `error`. `Err`: there will be none.
    async fn pause(&self, error: &Error, wait: Duration, cut: bool) -> Result<(), Error> {
        tracing::info!(attempts = error.attempts().len(), ?wait, kind = %error.kind(), "trying again");
        if let Some(last) = error.attempts().last() {
            self.tell(Progress {
                attempt: last.number,
                client_request_id: last.client_request_id.clone(),
                max_attempts: self.plan.max_attempts,
                phase: last.phase,
                bytes_sent: last.bytes_sent,
                bytes_total: last.bytes_total,
                bytes_received: 0,
                pause: Some(wait),
            });
        }
        let waiting = async {
            sleep(wait).await;
            if cut && self.plan.body.len() > ASK_FIRST_ABOVE {
                return lost_refusal(&self.http, &self.plan.settings).await;
            }
            None
        };
        tokio::select! {
            refusal = waiting => match refusal {
                Some(refusal) => Err(refusal.with_attempts(error.attempts().to_vec())),
                None => Ok(()),
            },
            stop = self.stopped() => Err(self.stop_between(&stop, error)),
        }
    }

    /// One attempt, or what is known of it when the caller's patience ends. `Err`: it never began.
    async fn attempt(
        &self,
        number: u32,
        waited: Duration,
        previous: Vec<Attempt>,
    ) -> Result<(Concluded, Arc<Running>), Error> {
        let files = self.open_targets().await.map_err(|error| stopped_before(error, &previous))?;
        let id = format!("gptimage-{}", random::token());
        let running = Arc::new(Running::new(number, id, waited, self.plan.body.len()));
        let reservation = match &self.plan.budget {
            Some((budget, calls)) => {
                Some(budget.reserve(calls, &running).map_err(|error| stopped_before(error, &previous))?)
            }
            None => None,
        };
        self.salvage.begins(&running);
        let task = {
            let (http, plan, running, previous) =
                (self.http.clone(), self.plan.clone(), running.clone(), previous.clone());
            async move { run(&http, &plan, &running, files, previous, reservation).await }
        };
        // Before the task exists, and so before anything is sent: whoever shows or keeps the id has it even if this process is
        // killed at any moment after.
        let told = running.progress(self.plan.max_attempts);
        self.tell(told.clone());
        tracing::info!(
            client_request_id = running.client_request_id(),
            number,
            bytes = self.plan.body.len(),
            // Of the form without its files, which are not read for a log.
            sha256 = fingerprint(self.plan.body.describe().as_bytes()),
            "sending"
        );
        let abort = self.plan.settings.abort_on_cancel;
        let mut handoff = Handoff::spawn(task, running.clone(), self.salvage.clone(), previous.clone(), abort);
        let stop = tokio::select! {
            biased;
            concluded = handoff.wait() => {
                self.tell(running.progress(self.plan.max_attempts));
                return Ok((concluded, running));
            }
            stop = self.stopped() => stop,
            never = self.observe(&running, told) => match never {},
        };
        running.close_unless_paid();
        let concluded = handoff.take().unwrap_or_else(|| self.stop_during(stop, &running, previous));
        Ok((concluded, running))
    }

    /// Tells the observer whatever changes after `told`, for as long as it is polled.
    async fn observe(&self, running: &Running, mut told: Progress) -> Infallible {
        if self.plan.observer.is_none() {
            return pending().await;
        }
        loop {
            let progress = running.progress(self.plan.max_attempts);
            if told != progress {
                self.tell(progress.clone());
                told = progress;
            }
            sleep(OBSERVE_EVERY).await;
        }
    }

    fn tell(&self, progress: Progress) {
        if let Some(observer) = &self.plan.observer {
            observer.tell(&progress);
        }
    }

    /// Opens a temporary file for each picture before money is spent. The thread that does it is there, then, when the
    /// pictures come.
    async fn open_targets(&self) -> Result<Vec<TargetFile>, Error> {
        let (target, count) = (self.plan.target.clone(), self.plan.asked.min(TARGETS_OPEN_MAX));
        let opened = blocking(move || (0..count).filter_map(|_| Some(target.as_ref()?.create())).collect()).await;
        opened.map_err(|error| Error::io("the target cannot be opened", error))?
    }

    /// Waits for the deadline or the cancel token, whichever comes first.
    async fn stopped(&self) -> End {
        let deadline = async {
            match self.plan.deadline {
                Some(deadline) => sleep_until_heard(deadline).await,
                None => pending().await,
            }
        };
        let cancelled = async {
            match &self.plan.cancel {
                Some(token) => token.cancelled().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = deadline => End::Deadline,
            () = cancelled => End::Cancelled,
        }
    }

    fn stop_during(&self, stop: End, running: &Running, previous: Vec<Attempt>) -> Concluded {
        let facts = running.snapshot_facts();
        let reached = running.reached();
        let timed_out = stop == End::Deadline;
        // A refusal is a refusal, even if its words did not come in time.
        let end = match facts.http_status {
            Some(status @ (100..=199 | 300..)) => End::Answered { status, body: ErrorBody::default() },
            _ => stop,
        };
        let generated = (reached == Reached::Located).then(|| Generated {
            images: facts.urls.iter().cloned().map(Image::at_url).collect(),
            cost: facts.price.known().or_none(),
            attempts: Vec::new(),
            warnings: Vec::new(),
            response: serde_json::Value::Null,
        });
        let failed = Failed { timed_out, generated, ..Failed::new(end, "") };
        // The task that runs on keeps its outcome by itself; what is given up as configured is not kept, but what came before
        // it is.
        let free_before = previous.iter().all(|attempt| attempt.charge == Charge::NotCharged);
        let given_up = self.plan.settings.abort_on_cancel;
        let followed = running.may_be_paid() && (!given_up || (!timed_out && free_before));
        let Concluded { result, .. } = conclude(&self.plan, running, failed, previous);
        Concluded { result: result.map_err(|error| error.with_followed(followed)), again: Again::Never }
    }

    /// The caller's patience ended between two attempts, of which the first failed with `error`.
    fn stop_between(&self, stop: &End, error: &Error) -> Error {
        let (kind, what) = match stop {
            End::Deadline => (ErrorKind::Connection, "the deadline passed"),
            _ => (ErrorKind::Cancelled, "cancelled"),
        };
        Error::new(kind, format!("{what} before another attempt; the last one: {error}"))
            .with_charge(error.charge())
            .with_status(error.http_status())
            .with_timed_out(*stop == End::Deadline)
            .with_attempts(error.attempts().to_vec())
    }
}

/// An error that came before another attempt could begin: what it cost, the ones before it say.
fn stopped_before(error: Error, previous: &[Attempt]) -> Error {
    error.with_attempts(previous.to_vec())
}

/// An error that is not the caller's last word, because another attempt follows. A caller that goes before that leaves it
/// to the salvage store, which keeps it if it may have cost something.
struct Unreported {
    error: Option<Error>,
    /// Attempts that may have been charged: until the call ends, they are listed with those on their way.
    running: Vec<Arc<Running>>,
    salvage: Arc<Salvage>,
}

impl Drop for Unreported {
    fn drop(&mut self) {
        if let Some(error) = self.error.take() {
            self.salvage.put(Err(error));
        }
    }
}

/// Tasks, timers and sockets need a runtime: without one tokio would panic.
pub(crate) fn within_runtime() -> Result<(), Error> {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::config("a call needs a tokio runtime around it; use `blocking::Client` without one")),
    }
}
