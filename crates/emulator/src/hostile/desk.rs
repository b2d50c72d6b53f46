//! What is true of the request on one connection: judged on its bytes, kept in the ledger.

use std::sync::Arc;

use bytes::BytesMut;

use super::server::Shared;
use crate::Price;
use crate::net::{Exchange, HeadParse, Plan, RequestHead};
use crate::route::paid_operation;
use crate::truth::Call;

/// As much of an answer is looked at for its status.
const STATUS_WITHIN: usize = 4096;

/// One request, from its first byte to its answer's last.
pub(super) struct Desk {
    shared: Arc<Shared>,
    /// Bytes of the request that arrived.
    arrived: u64,
    /// The head until it is whole.
    head: BytesMut,
    pub(super) request: Option<RequestHead>,
    exchange: Option<Exchange>,
    call: Option<Arc<Call>>,
    /// The beginning of what was sent.
    sent: Vec<u8>,
    status: Option<u16>,
    settled: bool,
}

impl Desk {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            arrived: 0,
            head: BytesMut::new(),
            request: None,
            exchange: None,
            call: None,
            sent: Vec::new(),
            status: None,
            settled: false,
        }
    }

    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }

    pub(super) fn has_head(&self) -> bool {
        self.request.is_some()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.exchange.as_ref().is_some_and(Exchange::is_whole)
    }

    pub(super) fn call(&self) -> Option<&Arc<Call>> {
        self.call.as_ref()
    }

    /// Takes bytes that arrived.
    pub(super) fn take(&mut self, mut bytes: BytesMut) {
        self.arrived += bytes.len() as u64;
        match &mut self.exchange {
            Some(exchange) => drop(exchange.take(&mut bytes)),
            None => {
                self.head.unsplit(bytes);
                let HeadParse::Complete(head) = RequestHead::parse(&self.head) else { return };
                self.begin(head);
            }
        }
        self.settle();
    }

    fn begin(&mut self, head: RequestHead) {
        if let Some(operation) = paid_operation(&head.method, &head.target) {
            let authorized = self.shared.accepts(head.header("authorization"));
            self.call = Some(Call::open_unscripted(&self.shared.ledger, operation, authorized, &head));
        }
        let mut exchange = Exchange::new(&head, Plan { call: self.call.clone(), ..Plan::default() });
        let mut body = self.head.split_off(head.len.min(self.head.len()));
        drop(exchange.take(&mut body));
        self.exchange = Some(exchange);
        self.request = Some(head);
    }

    /// `bytes` are about to be sent: whatever becomes of them, their status is what the server answers.
    pub(super) fn answers(&mut self, bytes: &[u8]) {
        if self.status.is_none() && self.sent.len() < STATUS_WITHIN {
            let mut planned = self.sent.clone();
            planned.extend_from_slice(bytes.get(..bytes.len().min(STATUS_WITHIN)).unwrap_or_default());
            self.status = status_of(&planned);
        }
        if let (Some(call), Some(status)) = (&self.call, self.status) {
            call.answered(status);
        }
        self.settle();
    }

    /// `bytes` were sent.
    pub(super) fn sent(&mut self, bytes: &[u8]) {
        if self.sent.len() < STATUS_WITHIN {
            self.sent.extend_from_slice(bytes);
        }
        let Some(exchange) = &mut self.exchange else { return };
        exchange.meter.feed(bytes);
        if let Some(call) = self.call.as_ref().filter(|_| exchange.meter.is_complete()) {
            call.delivered();
        }
    }

    /// Work and charge of what arrived whole, once it is clear what is answered.
    fn settle(&mut self) {
        if let (true, Some(call), Some(status)) = (self.is_whole(), &self.call, self.status)
            && !std::mem::replace(&mut self.settled, true)
        {
            let work = call.billing().charges_answer(status);
            call.settle_failure(work, u32::from(work), Price::of(call.operation, "", 1));
        }
    }

    /// Nothing more of this request or its answer counts.
    pub(super) fn close(&mut self) {
        match self.call.take() {
            Some(call) if self.is_whole() && !std::mem::replace(&mut self.settled, true) => {
                let work = call.billing().charges_unanswered();
                call.settle_failure(work, u32::from(work), Price::of(call.operation, "", 1));
                call.unanswered();
            }
            _ => {}
        }
        if self.exchange.take().is_none()
            && let HeadParse::Partial(Some(head)) = RequestHead::parse(&self.head)
            && let Some(operation) = paid_operation(&head.method, &head.target)
        {
            let authorized = self.shared.accepts(head.header("authorization"));
            Call::open_unfinished(&self.shared.ledger, operation, authorized, &head);
        }
        self.head.clear();
    }
}

/// The status of the first answer that is not an interim one.
fn status_of(mut bytes: &[u8]) -> Option<u16> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(bytes);
        match (response.code, parsed) {
            (Some(100..=199), Ok(httparse::Status::Complete(len))) => bytes = bytes.get(len..).unwrap_or_default(),
            (Some(100..=199) | None, _) => return None,
            (status, _) => return status,
        }
    }
}
