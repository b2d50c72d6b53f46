//! Results that nobody waited for: paid, and therefore kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

use crate::error::{Charge, Error};
use crate::generated::Generated;
use crate::transport::Running;

type Outcome = Result<Generated, Error>;

/// Keeps the outcomes of calls whose callers are gone, in memory up to a bound.
#[derive(Debug)]
pub(crate) struct Salvage {
    kept: Mutex<VecDeque<Outcome>>,
    max_bytes: u64,
    /// Calls that run on without their callers.
    running: watch::Sender<usize>,
    /// Attempts that have not ended, with callers or without.
    attempts: Mutex<Vec<Weak<Running>>>,
}

impl Salvage {
    pub(crate) fn new(max_bytes: u64) -> Self {
        Self { kept: Mutex::default(), max_bytes, running: watch::Sender::new(0), attempts: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Outcome>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt begins.
    pub(crate) fn begins(&self, attempt: &Arc<Running>) {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.retain(|attempt| attempt.strong_count() > 0);
        attempts.push(Arc::downgrade(attempt));
    }

    /// The ids of attempts that may be paid and have not ended.
    pub(crate) fn pending(&self) -> Vec<String> {
        let attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let running = attempts.iter().filter_map(Weak::upgrade).filter(|attempt| attempt.may_be_paid());
        running.map(|attempt| attempt.client_request_id().to_owned()).collect()
    }

    /// A call runs on.
    pub(crate) fn expect(&self) {
        self.running.send_modify(|running| *running += 1);
    }

    /// A call that ran on ended.
    pub(crate) fn arrived(&self) {
        self.running.send_modify(|running| *running = running.saturating_sub(1));
    }

    /// Keeps an outcome, unless it cost nothing. What does not fit pushes out the oldest, which is logged.
    pub(crate) fn put(&self, outcome: Outcome) {
        if matches!(&outcome, Err(error) if error.charge() == Charge::NotCharged) {
            return;
        }
        let mut kept = self.kept();
        kept.push_back(outcome);
        while kept.len() > 1 && kept.iter().map(memory).sum::<u64>() > self.max_bytes {
            if let Some(lost) = kept.pop_front() {
                tracing::error!(ids = ?ids(&lost), "the salvage store is full: a paid result was pushed out");
            }
        }
    }

    /// Hands everything over.
    pub(crate) fn collect(&self) -> Vec<Outcome> {
        self.kept().drain(..).collect()
    }

    /// Hands the oldest over.
    pub(crate) fn collect_one(&self) -> Option<Outcome> {
        self.kept().pop_front()
    }

    /// Waits until no call runs on.
    pub(crate) async fn drain(&self) {
        // The sender lives as long as this store, so waiting cannot fail.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }
}

fn generated(outcome: &Outcome) -> Option<&Generated> {
    match outcome {
        Ok(generated) => Some(generated),
        Err(error) => error.generated(),
    }
}

fn memory(outcome: &Outcome) -> u64 {
    /// What an outcome takes beside its pictures, about.
    const ENTRY: u64 = 4096;
    let text = outcome.as_ref().err().and_then(Error::response_body).map_or(0, str::len) as u64;
    let images = generated(outcome).map(Generated::images).unwrap_or_default();
    ENTRY + text + images.iter().filter_map(|image| image.bytes()).map(|bytes| bytes.len() as u64).sum::<u64>()
}

fn ids(outcome: &Outcome) -> Vec<&str> {
    let attempts = match outcome {
        Ok(generated) => generated.attempts(),
        Err(error) => error.attempts(),
    };
    attempts.iter().map(|attempt| attempt.client_request_id.as_str()).collect()
}
