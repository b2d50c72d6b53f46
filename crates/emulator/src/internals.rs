//! Building blocks that the scripted server of this project's tests shares with the emulator: a ledger kept from a
//! connection's bytes, the gateway's errors, and the ways in which a connection ends. Not a public interface.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gptimage_model::wire::header;
use tokio::net::TcpStream;

use crate::activity::Activity;
use crate::fault::{Answer, AnswerContext, Rendered};
use crate::http1::{HeadParse, RequestHead};
use crate::ledger::{Call, Ledger};
use crate::net::{Exchange, Plan, ending};
use crate::route::paid_operation;
use crate::{Billing, Cut, ErrorForm, LedgerEntry, Operation, Price, duration};

/// As much of an answer is looked at for its status.
const STATUS_WITHIN: usize = 4096;

/// Of answers to requests that are no calls.
const NO_CALL: AnswerContext<'_> =
    AnswerContext { path: "/", request_id: "none", client_request_id: None, inference_id: None };

/// The account that calls are charged to: a key, and the ledger of its calls.
#[derive(Debug)]
pub struct Account {
    ledger: Arc<Ledger>,
    /// The only `Authorization` that works; `None`: any.
    authorization: Option<String>,
}

impl Account {
    /// Creates an account. `key` is the only accepted key; with `None` every key is accepted.
    pub fn new(billing: Billing, key: Option<&str>) -> Self {
        let ledger = Arc::new(Ledger::new(billing, 0, Activity::new()));
        Self { ledger, authorization: key.map(|key| format!("Bearer {key}")) }
    }

    /// Returns the entry of every call so far, in the order of arrival.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.ledger.entries()
    }

    /// Returns how many calls were charged.
    pub fn charges(&self) -> u64 {
        self.ledger.charges()
    }

    fn accepts(&self, head: &RequestHead) -> bool {
        let given = head.header("authorization");
        given.is_some_and(|given| self.authorization.as_deref().is_none_or(|only| only == given))
    }
}

/// One request on a connection and its answer, judged on their bytes and kept in the ledger of an account.
#[derive(Debug)]
pub struct Connection {
    account: Arc<Account>,
    /// Bytes of the request that arrived.
    arrived: u64,
    /// The head until it is whole.
    head: BytesMut,
    request: Option<RequestHead>,
    exchange: Option<Exchange>,
    call: Option<Arc<Call>>,
    /// The beginning of what was sent.
    sent: Vec<u8>,
    status: Option<u16>,
    settled: bool,
}

impl Connection {
    /// Starts on a connection on which nothing has arrived yet.
    pub fn new(account: Arc<Account>) -> Self {
        Self {
            account,
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

    /// Returns how many bytes of the request arrived, including its head.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Whether the request's head arrived whole.
    pub fn has_head(&self) -> bool {
        self.request.is_some()
    }

    /// Whether the request arrived whole.
    pub fn is_whole(&self) -> bool {
        self.exchange.as_ref().is_some_and(Exchange::is_whole)
    }

    /// Returns the request's first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.as_ref()?.header(name)
    }

    /// Returns what a success costs.
    pub fn price(&self) -> Price {
        Price::of(self.call.as_ref().map_or(Operation::Generate, |call| call.operation), "", 1)
    }

    /// Builds a success with the gateway's headers.
    pub fn success(&self, content_type: &str, coding: Option<&str>, body: Bytes) -> Bytes {
        let price = self.price();
        let mut headers = vec![("content-type".to_owned(), content_type.to_owned())];
        headers.extend(coding.map(|coding| ("content-encoding".to_owned(), coding.to_owned())));
        let inference_id = self.call.as_ref().map(|call| call.inference_id());
        headers.extend(AnswerContext { inference_id, ..self.context() }.headers());
        headers.push((header::CREDITS_USED.to_owned(), price.credits.to_string()));
        headers.push((header::USD_SPENT.to_owned(), price.usd()));
        response(200, headers, body)
    }

    /// Builds a failure in one of the gateway's forms, with further headers.
    pub fn failure(&self, status: u16, form: ErrorForm, headers: Vec<(String, String)>) -> Bytes {
        let answer = Answer { headers, ..Answer::error(status, form.of_status(status)) };
        answer.render(&self.context()).into_wire(true)
    }

    fn context(&self) -> AnswerContext<'_> {
        self.call.as_ref().map_or(NO_CALL, |call| call.context())
    }

    /// Records bytes that arrived.
    pub fn take(&mut self, mut bytes: BytesMut) {
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
            let authorized = self.account.accepts(&head);
            self.call = Some(Call::open(&self.account.ledger, None, operation, authorized, &head));
        }
        let mut exchange = Exchange::new(&head, Plan { call: self.call.clone(), ..Plan::default() });
        let mut body = self.head.split_off(head.len.min(self.head.len()));
        drop(exchange.take(&mut body));
        self.exchange = Some(exchange);
        self.request = Some(head);
    }

    /// Records bytes that are about to be sent; their status counts as answered whether or not they are delivered.
    pub fn answers(&mut self, bytes: &[u8]) {
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

    /// Records bytes that were sent.
    pub fn sent(&mut self, bytes: &[u8]) {
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

    /// Ends the record: later bytes do not count.
    pub fn close(&mut self) {
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
            let authorized = self.account.accepts(&head);
            Call::open_unfinished(&self.account.ledger, operation, authorized, &head);
        }
        self.head.clear();
    }
}

/// Builds a response with `connection: close`, as bytes.
pub fn response(status: u16, headers: Vec<(String, String)>, body: Bytes) -> Bytes {
    Rendered { status, headers, body }.into_wire(true)
}

/// Cuts a connection.
pub async fn cut(socket: &TcpStream, cut: Cut) {
    ending::cut(socket, cut).await;
}

/// Shuts down the sending side of a connection.
pub fn half_close(socket: &TcpStream) {
    ending::half_close(socket);
}

/// `90s`, `150ms`: what [`parse_duration`](crate::parse_duration) reads back.
pub fn duration_text(duration: Duration) -> String {
    duration::duration_text(duration)
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
