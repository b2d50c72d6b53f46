//! One request and its response on a connection: the plan for it and its progress.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::fault::{CdnAction, Cut, Early, RawAnswer};
use crate::http1::{Framing, RequestHead, ResponseMeter};
use crate::ledger::{Call, RecordedRequest, Records, Side};

/// The plan for a request, made when its head is complete.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Passed to the service together with the request.
    pub(crate) note: Option<Note>,
    /// The paid call, if the request is one.
    pub(crate) call: Option<Arc<Call>>,
    pub(crate) early: Option<EarlyAnswer>,
    /// Offset counted from the first byte of the head.
    pub(crate) request_cut: Option<(u64, Cut)>,
    pub(crate) response_cut: Option<(u64, Cut)>,
    /// Ordered by offset in the response.
    pub(crate) pauses: Vec<(u64, Duration)>,
    /// Sent in place of the response.
    pub(crate) raw: Option<RawAnswer>,
    pub(crate) recording: Option<Recording>,
}

/// An early response: its bytes, when it is sent, and how the connection continues.
#[derive(Debug)]
pub(crate) struct EarlyAnswer {
    /// Number of body bytes after which the response is sent.
    pub(crate) offset: u64,
    pub(crate) manner: Early,
    pub(crate) status: u16,
    /// The whole response.
    pub(crate) wire: Bytes,
}

/// The part of the plan that the service needs.
#[derive(Debug, Clone)]
pub(crate) enum Note {
    Call(Arc<Call>),
    Cdn(CdnAction),
}

/// A request that is being recorded.
#[derive(Debug)]
pub(crate) struct Recording {
    records: Arc<Records>,
    request: RecordedRequest,
    body: Option<BytesMut>,
}

impl Recording {
    pub(crate) fn new(records: &Arc<Records>, side: Side, head: &RequestHead) -> Self {
        let request = RecordedRequest {
            side,
            method: head.method.clone(),
            target: head.target.clone(),
            headers: head.headers.clone(),
            body: None,
            body_len: 0,
        };
        let too_long = head.framing().announced().is_some_and(|length| length > records.body_cap as u64);
        Self { records: Arc::clone(records), request, body: (!too_long).then(BytesMut::new) }
    }

    fn add(&mut self, payload: &[u8]) {
        self.request.body_len += payload.len() as u64;
        if self.request.body_len > self.records.body_cap as u64 {
            self.body = None;
        }
        if let Some(body) = &mut self.body {
            body.extend_from_slice(payload);
        }
    }

    /// Stores the request once it is whole.
    fn finish(mut self) {
        self.request.body = self.body.map(BytesMut::freeze);
        self.records.push(self.request);
    }
}

/// A planned request, and how much of it and of its response has passed.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) call: Option<Arc<Call>>,
    pub(crate) meter: ResponseMeter,
    pub(crate) response_cut: Option<(u64, Cut)>,
    pub(crate) pauses: VecDeque<(u64, Duration)>,
    pub(crate) raw: Option<RawAnswer>,
    framing: Framing,
    request_cut: Option<(u64, Cut)>,
    recording: Option<Recording>,
    /// Bytes of the request that count as arrived, head included.
    received: u64,
    /// Bytes of the body that arrived, transfer coding removed.
    payload: u64,
    whole: bool,
}

impl Exchange {
    /// Counts the head as arrived; the bytes after it are still to be [taken](Exchange::take).
    pub(crate) fn new(head: &RequestHead, plan: Plan) -> Self {
        let cut_at = plan.request_cut.map_or(u64::MAX, |(offset, _)| offset);
        let mut exchange = Self {
            call: plan.call,
            meter: ResponseMeter::new(head.method == "HEAD"),
            response_cut: plan.response_cut,
            pauses: plan.pauses.into(),
            raw: plan.raw,
            framing: head.framing(),
            request_cut: plan.request_cut,
            recording: plan.recording,
            received: cut_at.min(head.len as u64),
            payload: 0,
            whole: false,
        };
        if cut_at >= head.len as u64 {
            exchange.mark_whole();
        }
        exchange
    }

    /// Removes this request's bytes from the front of `inbox`, up to a planned cut.
    pub(crate) fn take(&mut self, inbox: &mut BytesMut) -> Bytes {
        let available = usize::try_from(self.wanted()).unwrap_or(usize::MAX).min(inbox.len());
        let mut payload = 0;
        let recording = &mut self.recording;
        let used = self.framing.feed(inbox.get(..available).unwrap_or_default(), |bytes| {
            payload += bytes.len() as u64;
            if let Some(recording) = recording {
                recording.add(bytes);
            }
        });
        self.received += used as u64;
        self.payload += payload;
        if let Some(call) = self.call.as_ref().filter(|_| payload > 0) {
            call.count_body(payload);
        }
        self.mark_whole();
        inbox.split_to(used).freeze()
    }

    /// Returns how many more bytes of the request may arrive before a planned cut.
    pub(crate) fn wanted(&self) -> u64 {
        self.request_cut.map_or(u64::MAX, |(offset, _)| offset.saturating_sub(self.received))
    }

    /// Returns the cut of the request once it is due.
    pub(crate) fn due_request_cut(&self) -> Option<Cut> {
        self.request_cut.filter(|(offset, _)| self.whole || self.received >= *offset).map(|(_, cut)| cut)
    }

    /// Returns whether every byte of the request arrived.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Returns how many bytes of the body arrived.
    pub(crate) fn payload(&self) -> u64 {
        self.payload
    }

    /// Returns whether request and response are both complete.
    pub(crate) fn is_over(&self) -> bool {
        self.whole && self.meter.is_complete()
    }

    fn mark_whole(&mut self) {
        if self.whole || !self.framing.is_done() {
            return;
        }
        self.whole = true;
        if let Some(call) = &self.call {
            call.arrived_whole();
        }
        if let Some(recording) = self.recording.take() {
            recording.finish();
        }
    }
}
