//! A fault of one or more paid calls.

use std::time::Duration;

use bytes::Bytes;

use super::answer::{Answer, AnswerBody};
use super::queue::QueuedFault;
use super::{Cut, Early, ErrorBody, RawAnswer};

/// A fault of a paid call. Default: strikes once, at the next call.
///
/// A request that did not arrive whole is never charged, whatever [`Fault::charged`] says.
///
/// ```
/// use std::time::Duration;
/// use gptimage_emulator::{Cut, ErrorBody, Fault};
///
/// let proxy_page = Fault::answer(503).body(ErrorBody::Html);
/// let storm = Fault::answer(429).header("retry-after", "2").times(3);
/// let lost = Fault::cut_response(17, Cut::Rst).charged(true).on_call(3);
/// let slow = Fault::delay(Duration::from_secs(2)).then_cut(200, Cut::Fin);
/// # let _ = (proxy_page, storm, lost, slow);
/// ```
///
/// It can also be read from JSON, in the form that the control interface takes:
///
/// ```
/// # use gptimage_emulator::Fault;
/// let storm: Fault = serde_json::from_str(
///     r#"{"answer": {"status": 429, "headers": {"retry-after": "2"}}, "times": 3}"#,
/// )?;
/// # let _ = storm;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a fault does nothing until an emulator gets it"]
pub struct Fault {
    selector: Selector,
    /// How many more times it strikes; `None`: without limit.
    remaining: Option<u32>,
    pub(crate) charged: Option<bool>,
    pub(crate) answer: Option<Answer>,
    pub(crate) success_body: Option<Bytes>,
    pub(crate) early: Option<(u64, Early)>,
    pub(crate) request_cut: Option<(u64, Cut)>,
    pub(crate) response_cut: Option<(u64, Cut)>,
    pub(crate) pauses: Vec<(u64, Duration)>,
    pub(crate) raw: Option<RawAnswer>,
}

#[derive(Debug, Clone)]
enum Selector {
    Next,
    Call(u64),
    ClientRequestId(String),
}

/// The properties of a call that faults are matched against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallSelector<'a> {
    pub(crate) seq: u64,
    pub(crate) client_request_id: Option<&'a str>,
}

impl Fault {
    /// Returns a fault that does nothing yet.
    pub(super) fn new() -> Self {
        Self {
            selector: Selector::Next,
            remaining: Some(1),
            charged: None,
            answer: None,
            success_body: None,
            early: None,
            request_cut: None,
            response_cut: None,
            pauses: Vec::new(),
            raw: None,
        }
    }

    /// Answers with `status` once the whole request has arrived; the live error body unless [`Fault::body`] or
    /// [`Fault::raw_body`] says otherwise. The answer carries no price headers but those added with [`Fault::header`].
    pub fn answer(status: u16) -> Self {
        Self { answer: Some(Answer::new(status)), ..Self::new() }
    }

    /// Generates and charges, but the answer's JSON is replaced by these bytes; ids and price headers stay.
    pub fn success_body(body: impl Into<Bytes>) -> Self {
        Self { success_body: Some(body.into()), ..Self::new() }
    }

    /// Answers with `status` when `offset` bytes of the request's body have arrived (or the whole, if it is shorter).
    pub fn early(status: u16, offset: u64, manner: Early) -> Self {
        Self { answer: Some(Answer::new(status)), early: Some((offset, manner)), ..Self::new() }
    }

    /// Cuts after `offset` bytes of the request, counted from the first byte of its head. From the request's length
    /// upwards: when it has arrived whole, before any answer.
    pub fn cut_request(offset: u64, cut: Cut) -> Self {
        Self { request_cut: Some((offset, cut)), ..Self::new() }
    }

    /// Cuts after `offset` bytes of the response, head included. A shorter response is delivered whole.
    pub fn cut_response(offset: u64, cut: Cut) -> Self {
        Self { response_cut: Some((offset, cut)), ..Self::new() }
    }

    /// Does the work at once and holds the answer back for this long.
    pub fn delay(delay: Duration) -> Self {
        Self::new().then_pause(0, delay)
    }

    /// Stops sending for `pause` after `offset` bytes of the response. To stop for ever, use [`Fault::cut_response`] with
    /// [`Cut::Silence`].
    pub fn pause(offset: u64, pause: Duration) -> Self {
        Self::new().then_pause(offset, pause)
    }

    /// Generates and charges, but sends exactly these bytes in place of the response, then ends the connection:
    /// for answers that no HTTP library would write.
    pub fn raw(response: impl Into<Bytes>) -> Self {
        Self { raw: Some(RawAnswer { bytes: response.into(), repeated: None }), ..Self::new() }
    }

    /// Sends `response`, then `repeated` again and again until the peer leaves: an endless head or body.
    pub fn raw_endless(response: impl Into<Bytes>, repeated: impl Into<Bytes>) -> Self {
        Self { raw: Some(RawAnswer { bytes: response.into(), repeated: Some(repeated.into()) }), ..Self::new() }
    }

    /// The answer's body, in one of the forms that the gateway has. Only for faults that answer.
    pub fn body(mut self, body: ErrorBody) -> Self {
        if let Some(answer) = &mut self.answer {
            answer.body = AnswerBody::Error(body);
        }
        self
    }

    /// The answer's body as bytes, sent with this content type. Only for faults that answer.
    pub fn raw_body(mut self, content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        if let Some(answer) = &mut self.answer {
            answer.body = AnswerBody::Raw { content_type: content_type.into(), bytes: body.into() };
        }
        self
    }

    /// Adds a header to the answer. Only for faults that answer; what no header may hold is left out.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if let Some(answer) = &mut self.answer {
            answer.headers.push((name.into(), value.into()));
        }
        self
    }

    /// Cuts, in addition, after `offset` bytes of the response.
    pub fn then_cut(mut self, offset: u64, cut: Cut) -> Self {
        self.response_cut = Some((offset, cut));
        self
    }

    /// Stops sending, in addition, for `pause` after `offset` bytes of the response.
    pub fn then_pause(mut self, offset: u64, pause: Duration) -> Self {
        self.pauses.push((offset, pause));
        self.pauses.sort_by_key(|(offset, _)| *offset);
        self
    }

    /// Sets whether a call that arrived whole is charged in spite of the fault. Default: the billing model decides.
    pub fn charged(mut self, charged: bool) -> Self {
        self.charged = Some(charged);
        self
    }

    /// Strikes only the paid call with this sequence number; the emulator's first call is 1.
    pub fn on_call(mut self, seq: u64) -> Self {
        self.selector = Selector::Call(seq);
        self
    }

    /// Strikes only calls that carry this `X-Client-Request-Id`.
    pub fn on_client_request_id(mut self, id: impl Into<String>) -> Self {
        self.selector = Selector::ClientRequestId(id.into());
        self
    }

    /// Strikes this many matching calls.
    pub fn times(mut self, times: u32) -> Self {
        self.remaining = Some(times);
        self
    }

    /// Strikes every matching call.
    pub fn always(mut self) -> Self {
        self.remaining = None;
        self
    }
}

impl QueuedFault for Fault {
    type Trigger<'a> = CallSelector<'a>;

    fn matches(&self, call: CallSelector<'_>) -> bool {
        self.remaining != Some(0)
            && match &self.selector {
                Selector::Next => true,
                Selector::Call(seq) => *seq == call.seq,
                Selector::ClientRequestId(id) => call.client_request_id == Some(id),
            }
    }

    fn use_once(&mut self) -> bool {
        match &mut self.remaining {
            None => true,
            Some(remaining) => {
                *remaining = remaining.saturating_sub(1);
                *remaining > 0
            }
        }
    }
}
