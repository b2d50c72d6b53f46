//! The state of an attempt while it runs, shared by its task and its callers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::send_guard::SendGuard;
use crate::attempt::{Attempt, Phase};
use crate::charge::Charge;
use crate::progress::Progress;
use crate::wire::Price;

/// How far an attempt came, as far as its charge depends on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SendStage {
    /// The HTTP library did not take the whole body, so no server has the whole request.
    Unsent,
    /// The HTTP library took the whole body, so a server may have the whole request.
    Sent,
    /// A 2xx status and its headers came.
    Accepted,
    /// The response's body came, and it links to an image.
    Located,
}

/// The status, ids, price and links of a response.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResponseMetadata {
    /// The phase, once the status and headers came.
    pub(crate) phase: Option<Phase>,
    pub(crate) http_status: Option<u16>,
    pub(crate) inference_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) price: Price,
    /// Links to images that were not downloaded yet.
    pub(crate) urls: Vec<String>,
}

/// An attempt while it runs.
#[derive(Debug)]
pub(crate) struct AttemptState {
    pub(crate) send_guard: Arc<SendGuard>,
    number: u32,
    client_request_id: String,
    waited: Duration,
    started: Instant,
    bytes_received: Arc<AtomicU64>,
    metadata: Mutex<ResponseMetadata>,
}

impl AttemptState {
    /// Creates the state. `waited` is the pause before this attempt, `total` the length of the body in bytes.
    pub(crate) fn new(number: u32, client_request_id: String, waited: Duration, total: u64) -> Self {
        Self {
            send_guard: Arc::new(SendGuard::new(total)),
            number,
            client_request_id,
            waited,
            started: Instant::now(),
            bytes_received: Arc::default(),
            metadata: Mutex::new(ResponseMetadata::default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ResponseMetadata> {
        self.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn client_request_id(&self) -> &str {
        &self.client_request_id
    }

    /// Returns the counter of received bytes, of the response and of downloads.
    pub(crate) fn bytes_received(&self) -> &Arc<AtomicU64> {
        &self.bytes_received
    }

    /// Returns a snapshot for observers.
    pub(crate) fn progress(&self, max_attempts: u32) -> Progress {
        let record = self.record(Charge::Unknown, None);
        Progress {
            attempt: record.number,
            client_request_id: record.client_request_id,
            max_attempts,
            phase: record.phase,
            bytes_sent: record.bytes_sent,
            bytes_total: record.bytes_total,
            bytes_received: self.bytes_received.load(Ordering::Relaxed),
            pause: None,
        }
    }

    pub(crate) fn update_metadata(&self, change: impl FnOnce(&mut ResponseMetadata)) {
        change(&mut self.lock());
    }

    pub(crate) fn metadata(&self) -> ResponseMetadata {
        self.lock().clone()
    }

    /// Returns how far the attempt came, for the decision table.
    pub(crate) fn stage(&self) -> SendStage {
        let metadata = self.lock();
        match (metadata.phase, metadata.http_status) {
            (Some(Phase::BodyComplete), Some(200..=299)) if !metadata.urls.is_empty() => SendStage::Located,
            (Some(_), Some(200..=299)) => SendStage::Accepted,
            _ if self.send_guard.progress().is_whole() => SendStage::Sent,
            _ => SendStage::Unsent,
        }
    }

    /// Returns whether the response states a price that cannot be read.
    pub(crate) fn price_is_unreadable(&self) -> bool {
        self.lock().price.unreadable
    }

    /// Returns whether the server may have the whole request.
    pub(crate) fn may_be_paid(&self) -> bool {
        self.stage() >= SendStage::Sent
    }

    /// Closes the send guard unless the call may be charged. Returns whether it may be charged.
    pub(crate) fn close_unless_paid(&self) -> bool {
        self.stage() >= SendStage::Accepted || self.send_guard.close_unless_whole().is_whole()
    }

    /// Returns the record of this attempt in its current state.
    pub(crate) fn record(&self, charge: Charge, error: Option<String>) -> Attempt {
        let metadata = self.lock();
        let sent = self.send_guard.progress();
        let sending = match (sent.started, sent.is_whole()) {
            (false, _) => Phase::Connecting,
            (true, false) => Phase::Sending,
            (true, true) => Phase::Sent,
        };
        Attempt {
            number: self.number,
            client_request_id: self.client_request_id.clone(),
            inference_id: metadata.inference_id.clone(),
            request_id: metadata.request_id.clone(),
            phase: metadata.phase.unwrap_or(sending),
            bytes_sent: sent.handed,
            bytes_total: sent.total,
            http_status: metadata.http_status,
            charge,
            cost: metadata.price.known().or_none(),
            waited: self.waited,
            elapsed: self.started.elapsed(),
            error,
        }
    }
}
