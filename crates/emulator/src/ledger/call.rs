//! A paid call in progress. Its ledger entry is settled when the last holder drops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gptimage_model::wire::header;
use tokio::time::Instant;

use super::Ledger;
use super::log_row::Ids;
use crate::fault::{AnswerContext, CallSelector, Fault, FaultQueue};
use crate::http1::RequestHead;
use crate::ident::{is_client_request_id, random_uuid};
use crate::{Operation, Price};

#[derive(Debug)]
pub(crate) struct Call {
    ledger: Arc<Ledger>,
    seq: u64,
    pub(crate) operation: Operation,
    pub(crate) authorized: bool,
    pub(crate) fault: Option<Fault>,
    path: String,
    ids: Ids,
    /// As sent.
    client_request_id: Option<String>,
    /// Nanoseconds for which the response must still be held back.
    held: AtomicU64,
}

impl Call {
    /// Opens the ledger entry and takes the first matching fault.
    pub(crate) fn open(
        ledger: &Arc<Ledger>,
        faults: Option<&FaultQueue<Fault>>,
        operation: Operation,
        authorized: bool,
        head: &RequestHead,
    ) -> Arc<Self> {
        let mut call = Self::begin(ledger, operation, authorized, head);
        let selector = CallSelector { seq: call.seq, client_request_id: call.client_request_id.as_deref() };
        call.fault = faults.and_then(|faults| faults.take(selector));
        Arc::new(call)
    }

    /// Records an entry for a request whose head was never complete.
    pub(crate) fn open_unfinished(ledger: &Arc<Ledger>, operation: Operation, authorized: bool, head: &RequestHead) {
        drop(Self::begin(ledger, operation, authorized, head));
    }

    fn begin(ledger: &Arc<Ledger>, operation: Operation, authorized: bool, head: &RequestHead) -> Self {
        let client_request_id = head.header(header::CLIENT_REQUEST_ID).map(str::to_owned);
        let ids = Ids { request_id: random_uuid(), inference_id: random_uuid() };
        let seq = ledger.open(operation, authorized, client_request_id.as_deref(), ids.clone());
        let path = head.target.split('?').next().unwrap_or_default().to_owned();
        Self {
            ledger: Arc::clone(ledger),
            seq,
            operation,
            authorized,
            fault: None,
            path,
            ids,
            client_request_id,
            held: AtomicU64::new(0),
        }
    }

    pub(crate) fn count_body(&self, bytes: u64) {
        self.ledger.update(self.seq, |entry| entry.bytes_received += bytes);
    }

    pub(crate) fn arrived_whole(&self) {
        self.ledger.update(self.seq, |entry| entry.arrived_whole = true);
    }

    pub(crate) fn delivered(&self) {
        self.ledger.update(self.seq, |entry| entry.delivered = true);
    }

    pub(crate) fn answered(&self, status: u16) {
        self.ledger.update(self.seq, |entry| entry.status = Some(status));
        self.ledger.set_answered(self.seq, Instant::now());
    }

    /// Records that no response is sent. The gateway's log lists the call all the same.
    pub(crate) fn unanswered(&self) {
        self.ledger.set_answered(self.seq, Instant::now());
    }

    /// Sets how long the response returned by the service must be held back.
    pub(crate) fn hold(&self, latency: Duration) {
        self.held.store(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Some(at) = Instant::now().checked_add(latency) {
            self.ledger.set_answered(self.seq, at);
        }
    }

    /// Returns how long the response must be held back, and resets it, so that only the first caller waits.
    pub(crate) fn take_hold(&self) -> Option<Duration> {
        let held = self.held.swap(0, Ordering::Relaxed);
        (held > 0).then(|| Duration::from_nanos(held))
    }

    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// Records the model, the prompt and the number of input images.
    pub(crate) fn described(&self, model: Option<&str>, prompt: Option<&str>, input_images: usize) {
        self.ledger.update(self.seq, |entry| {
            entry.model = model.map(str::to_owned);
            entry.prompt = prompt.map(str::to_owned);
            entry.input_images = u32::try_from(input_images).unwrap_or(u32::MAX);
        });
    }

    /// Records that the images were generated.
    pub(crate) fn generated(&self, images: u32) {
        self.ledger.update(self.seq, |entry| {
            entry.generated = true;
            entry.images = images;
            entry.inference_id = Some(self.ids.inference_id.clone());
        });
    }

    pub(crate) fn charge(&self, price: Price) {
        self.ledger.charge(self.seq, price);
    }

    pub(crate) fn charge_if_covered(&self, price: Price) -> bool {
        self.ledger.charge_if_covered(self.seq, price)
    }

    pub(crate) fn covered(&self, price: Price) -> bool {
        self.ledger.covers(price)
    }

    pub(crate) fn refund(&self, price: Price) {
        self.ledger.refund(self.seq, price);
    }

    /// Settles a request that arrived whole but was not answered with a success. `work`: whether the billing model
    /// counts it as generated and charged; the fault may override the charge.
    pub(crate) fn settle_failure(&self, work: bool, images: u32, price: Price) {
        if !self.authorized {
            return;
        }
        if work {
            self.generated(images);
        }
        if self.fault_charges().unwrap_or(work) {
            self.charge(price);
        }
    }

    /// Returns the fault's setting for the charge, if it has one.
    pub(crate) fn fault_charges(&self) -> Option<bool> {
        self.fault.as_ref().and_then(|fault| fault.charged)
    }

    pub(crate) fn billing(&self) -> crate::Billing {
        self.ledger.billing
    }

    pub(crate) fn inference_id(&self) -> &str {
        &self.ids.inference_id
    }

    /// Returns the values that responses to this call repeat.
    pub(crate) fn context(&self) -> AnswerContext<'_> {
        AnswerContext {
            path: &self.path,
            request_id: &self.ids.request_id,
            client_request_id: self.client_request_id.as_deref().filter(|id| is_client_request_id(id)),
            inference_id: None,
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.ledger.close();
    }
}
