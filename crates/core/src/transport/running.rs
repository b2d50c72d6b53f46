//! An attempt while it runs: what the task has found out, for whoever waits for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::gate::Gate;
use super::retry::Reached;
use crate::attempt::{Attempt, Phase};
use crate::error::Charge;
use crate::progress::Progress;
use crate::wire::Price;

/// Facts that an answer's head gives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) phase: Option<Phase>,
    pub(crate) http_status: Option<u16>,
    pub(crate) inference_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) price: Price,
    /// Links to pictures that are not here yet.
    pub(crate) urls: Vec<String>,
}

/// Shared between an attempt's task and its caller.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) gate: Arc<Gate>,
    number: u32,
    client_request_id: String,
    waited: Duration,
    started: Instant,
    received: Arc<AtomicU64>,
    facts: Mutex<Facts>,
}

impl Running {
    pub(crate) fn new(number: u32, client_request_id: String, waited: Duration, total: u64) -> Self {
        Self {
            gate: Arc::new(Gate::new(total)),
            number,
            client_request_id,
            waited,
            started: Instant::now(),
            received: Arc::default(),
            facts: Mutex::new(Facts::default()),
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn client_request_id(&self) -> &str {
        &self.client_request_id
    }

    /// Counts the bytes that come.
    pub(crate) fn received(&self) -> &Arc<AtomicU64> {
        &self.received
    }

    /// A look at the attempt while it runs.
    pub(crate) fn progress(&self, max_attempts: u32) -> Progress {
        let record = self.record(Charge::Unknown, None);
        Progress {
            attempt: record.number,
            client_request_id: record.client_request_id,
            max_attempts,
            phase: record.phase,
            bytes_sent: record.bytes_sent,
            bytes_total: record.bytes_total,
            bytes_received: self.received.load(Ordering::Relaxed),
            pause: None,
        }
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.facts());
    }

    pub(crate) fn snapshot_facts(&self) -> Facts {
        self.facts().clone()
    }

    /// How far the attempt is for the decision table.
    pub(crate) fn reached(&self) -> Reached {
        let facts = self.facts();
        match (facts.phase, facts.http_status) {
            (Some(Phase::BodyComplete), Some(200..=299)) if !facts.urls.is_empty() => Reached::Located,
            (Some(_), Some(200..=299)) => Reached::Accepted,
            _ if self.gate.look().is_whole() => Reached::Sent,
            _ => Reached::Unsent,
        }
    }

    /// Whether the answer states a price that cannot be read.
    pub(crate) fn price_is_unreadable(&self) -> bool {
        self.facts().price.unreadable
    }

    /// Whether the server may have the whole request.
    pub(crate) fn may_be_paid(&self) -> bool {
        self.reached() >= Reached::Sent
    }

    /// Closes the gate unless the call may be paid by now; says whether it may.
    pub(crate) fn close_unless_paid(&self) -> bool {
        self.reached() >= Reached::Accepted || self.gate.close_unless_whole().is_whole()
    }

    /// The record of this attempt as it stands.
    pub(crate) fn record(&self, charge: Charge, error: Option<String>) -> Attempt {
        let facts = self.facts();
        let passed = self.gate.look();
        let sending = match (passed.started, passed.is_whole()) {
            (false, _) => Phase::Connecting,
            (true, false) => Phase::Sending,
            (true, true) => Phase::Sent,
        };
        Attempt {
            number: self.number,
            client_request_id: self.client_request_id.clone(),
            inference_id: facts.inference_id.clone(),
            request_id: facts.request_id.clone(),
            phase: facts.phase.unwrap_or(sending),
            bytes_sent: passed.handed,
            bytes_total: passed.total,
            http_status: facts.http_status,
            charge,
            cost: facts.price.known().or_none(),
            waited: self.waited,
            elapsed: self.started.elapsed(),
            error,
        }
    }
}
