//! A paid call while it is worked on. Its entry is settled when the last holder lets go.

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
    /// Nanoseconds for which the answer is still to be held back.
    held: AtomicU64,
}

impl Call {
    /// Opens the ledger's entry and takes the fault that waits for it.
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

    /// Leaves an entry for a request whose head never became whole.
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

    /// No answer comes, but the gateway's log knows of the call.
    pub(crate) fn unanswered(&self) {
        self.ledger.set_answered(self.seq, Instant::now());
    }

    /// Holds the answer that was given back for so long.
    pub(crate) fn hold(&self, latency: Duration) {
        self.held.store(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Some(at) = Instant::now().checked_add(latency) {
            self.ledger.set_answered(self.seq, at);
        }
    }

    /// For how long the answer is to be held back; only once.
    pub(crate) fn take_hold(&self) -> Option<Duration> {
        let held = self.held.swap(0, Ordering::Relaxed);
        (held > 0).then(|| Duration::from_nanos(held))
    }

    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// What was read of the request.
    pub(crate) fn described(&self, model: Option<&str>, prompt: Option<&str>, input_images: usize) {
        self.ledger.update(self.seq, |entry| {
            entry.model = model.map(str::to_owned);
            entry.prompt = prompt.map(str::to_owned);
            entry.input_images = u32::try_from(input_images).unwrap_or(u32::MAX);
        });
    }

    /// The work was done.
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

    /// Settles a request that arrived whole but was answered without being a success: work and charge follow the
    /// billing model (`work`), the charge also what the fault says.
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

    /// What the fault says about the charge.
    pub(crate) fn fault_charges(&self) -> Option<bool> {
        self.fault.as_ref().and_then(|fault| fault.charged)
    }

    pub(crate) fn billing(&self) -> crate::Billing {
        self.ledger.billing
    }

    pub(crate) fn inference_id(&self) -> &str {
        &self.ids.inference_id
    }

    /// What answers to it repeat.
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
