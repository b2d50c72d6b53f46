//! Random faults for one connection.

use std::time::Duration;

use crate::scripted::{Script, Source, Step, SuccessForm, Until};
use fastrand::Rng;
use gptimage_emulator::{Cut, ErrorForm};

use crate::experiment::ScriptedFault;

/// The properties of an experiment that faults depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) tls: bool,
    pub(crate) by_url: bool,
    /// Number of images in a response.
    pub(crate) pictures: usize,
    /// Approximate lengths of request and response.
    pub(crate) request: u64,
    pub(crate) answer: u64,
}

/// Statuses that are not a success, each in or near a row of its own in the decision table.
const STATUSES: &[u16] = &[
    300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 425, 429, 429, 429, 451, 499,
    500, 500, 501, 502, 503, 503, 504, 505, 520, 521, 522, 523, 524, 525, 526, 527, 530, 599,
];

/// Header lines that try to mislead a client.
const HEADERS: &[&str] = &[
    "retry-after: 0",
    "retry-after: 0.01",
    "retry-after: 0.03",
    "retry-after: 1",
    "retry-after: -1",
    "retry-after: NaN",
    "retry-after: inf",
    "retry-after: 1000000000",
    "retry-after: 99999999999999999999",
    "retry-after: Wed, 21 Oct 2015 07:28:00 GMT",
    "retry-after: Wed, 21 Oct 2099 07:28:00 GMT",
    "retry-after: soon",
    "x-should-retry: true",
    "location: /v1/images/generations",
    "location: http://127.0.0.1:1/",
    "x-aimlapi-usd-spent: 0",
    "x-aimlapi-usd-spent: 1e400",
    "x-aimlapi-usd-spent: $0.05",
    "x-aimlapi-usd-spent: 0.0500000000000000000001",
    "x-aimlapi-credits-used: ",
];

/// Bodies of a success that cannot be used, or barely.
const BODIES: &[&str] = &[
    "",
    "null",
    "[]",
    "{}",
    "{\"data\":null}",
    "{\"data\":[]}",
    "{\"data\":[{}]}",
    "{\"data\":[null]}",
    "{\"data\":{}}",
    "{\"data\":[{\"b64_json\":null,\"url\":null}]}",
    "{\"data\":[{\"b64_json\":\"\"}]}",
    "{\"data\":[{\"b64_json\":\"*\"}]}",
    "{\"data\":[{\"b64_json\":\"aGVsbG8=\"}]}",
    "{\"data\":[{\"b64_json\":\"iVBORw0KGgo=\"}]}",
    "{\"data\":[{\"b64_json\":1}]}",
    "{\"data\":[{\"url\":\"\"}]}",
    "{\"data\":[{\"url\":\"file:///etc/passwd\"}]}",
    "{\"data\":[{\"url\":\"no url\"}]}",
    "{\"error\":{\"message\":\"no\"}}",
    "{\"error\":{\"message\":\"no\"},\"meta\":{\"usage\":{\"usd_spent\":0}}}",
    "{\"data\":[{\"b64_json\":\"iVBOR",
    "{\"data\":[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "<html>",
    "<!doctype html><title>Sign in</title><img src='data:image/png;base64,iVBORw0KGgo='>",
    "{\"data\":[{\"status\":\"submitted\",\"task_id\":\"task_1\"}]}",
    "{\"data\":[],\"meta\":{\"usage\":{\"usd_spent\":\"$0.05\"}}}",
    "{\"data\":{\"url\":\"data:image/png;base64,iVBOR",
    "data: {\"b64_json\":\"iVBOR",
    "upstream is warming up",
    "\u{0}\u{1}\u{1b}[2J",
];

/// Bytes that are not a response, or an odd one.
const WIRE: &[&str] = &[
    "",
    "\r\n\r\n",
    "HTTP/1.1",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello world",
    "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"data\":",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\u{1f}",
    "HTTP/1.0 200 OK\r\n\r\n{}",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/2 200\r\n\r\n",
    "HTTP/1.1 200 OK\nno: carriage\n\n{}",
    "HTTP/1.1 200 OK\r\n: \r\n\r\n",
    "HTTP/1.1 20 OK\r\n\r\n",
    "\u{0}\u{0}\u{0}",
    "SSH-2.0-x\r\n",
];

fn one<T: Copy>(rng: &mut Rng, of: &[T]) -> Option<T> {
    rng.choice(of).copied()
}

fn cut(rng: &mut Rng) -> Cut {
    // Rare, because silence has to be waited for.
    match rng.u8(..100) {
        0..46 => Cut::Fin,
        46..92 => Cut::Rst,
        _ => Cut::Silence,
    }
}

fn drawn(fault: &'static str, steps: impl IntoIterator<Item = Step>) -> ScriptedFault {
    ScriptedFault { fault, script: Script::new(steps) }
}

/// Draws an offset: near the beginning, anywhere, or around the end.
fn offset(rng: &mut Rng, length: u64) -> u64 {
    match rng.u8(..3) {
        0 => rng.u64(..600.min(length + 1)),
        1 => rng.u64(..=length),
        _ => (length + rng.u64(..300)).saturating_sub(150),
    }
}

fn failure(rng: &mut Rng) -> Source {
    let status = one(rng, STATUSES).unwrap_or(500);
    let form = one(rng, ErrorForm::ALL).unwrap_or_default();
    let headers = (0..rng.usize(..3)).filter_map(|_| one(rng, HEADERS)).map(str::to_owned).collect();
    Source::Status { status, form, headers }
}

/// Draws the behaviour of a connection to the API.
pub(crate) fn api(rng: &mut Rng, setting: &Setting) -> ScriptedFault {
    let success = if setting.by_url { Source::Link } else { Source::Image };
    let whole = Step::Read(Until::Whole);
    match rng.u8(..100) {
        0..34 => drawn(ScriptedFault::NONE, [whole, Step::send(success)]),
        34..48 => {
            let at = offset(rng, setting.request);
            drawn("request cut", [Step::Read(Until::Bytes(at)), Step::Cut(cut(rng))])
        }
        48..62 => {
            let at = offset(rng, setting.answer);
            drawn("answer cut", [whole, Step::send_first(success, at), Step::Cut(cut(rng))])
        }
        62..78 => drawn("failure", [whole, Step::send(failure(rng))]),
        78..83 => early(rng, setting, success),
        83..87 => slow(rng, success, setting.answer),
        87..89 => match one(rng, SuccessForm::ALL) {
            // These forms hold only one image.
            Some(SuccessForm::Bytes | SuccessForm::Text) if setting.pictures > 1 => {
                drawn("odd form", [whole, Step::send(success)])
            }
            form => drawn("odd form", [whole, Step::send(form.map_or(success, Source::Form))]),
        },
        89..91 => {
            let body = one(rng, BODIES).unwrap_or_default().to_owned();
            drawn("odd body", [whole, Step::send(Source::Json(body))])
        }
        91..95 => {
            let bytes = one(rng, WIRE).unwrap_or_default().as_bytes().to_vec();
            drawn("odd wire", [whole, Step::send(Source::Raw(bytes)), Step::Cut(cut(rng))])
        }
        95..98 if setting.tls => drawn("handshake cut", [Step::Handshake(rng.u64(..2500), cut(rng))]),
        95..98 => drawn("cut after accept", [Step::Cut(cut(rng))]),
        _ => {
            let interim = Source::Raw(b"HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n".repeat(rng.usize(1..5)));
            drawn("interim answers", [whole, Step::send(interim), Step::send(success)])
        }
    }
}

/// Draws a response that is sent before the request is whole.
fn early(rng: &mut Rng, setting: &Setting, success: Source) -> ScriptedFault {
    let source = if rng.u8(..10) == 0 { success } else { failure(rng) };
    let read = Step::Read(Until::Bytes(offset(rng, setting.request)));
    let rest = Step::Read(Until::End);
    match rng.u8(..3) {
        0 => drawn("early answer", [read, Step::send(source), rest]),
        1 => drawn("early answer", [read, Step::send(source), Step::HalfClose, rest]),
        _ => drawn("early answer", [read, Step::send(source), Step::Cut(Cut::Rst)]),
    }
}

/// Draws a caller that leaves in the middle of an upload; the server reads on afterwards.
pub(crate) fn left_while_uploading(rng: &mut Rng, length: u64) -> ScriptedFault {
    let pause = Step::Pause(Duration::from_millis(rng.u64(..20)));
    let read = Step::Read(Until::Bytes(rng.u64(..length / 2)));
    drawn("left while uploading", [read, Step::Mark, pause, Step::Read(Until::Whole), Step::send(Source::Image)])
}

/// Draws a response that comes late or in small pieces.
fn slow(rng: &mut Rng, success: Source, answer: u64) -> ScriptedFault {
    let whole = Step::Read(Until::Whole);
    let pause = Duration::from_millis(rng.u64(..60));
    match rng.u8(..4) {
        0 => drawn("late answer", [whole, Step::Pause(pause), Step::send(success)]),
        1 => {
            let at = offset(rng, answer);
            let [first, rest] = [0..at, at..u64::MAX].map(|range| Step::Send(success.clone(), range));
            drawn("halting answer", [whole, first, Step::Pause(pause), rest])
        }
        2 => {
            let piece = (answer / 20).max(1);
            drawn("trickled answer", [whole, Step::Trickle(success, piece, Duration::from_millis(1))])
        }
        _ => {
            let at = Until::Bytes(offset(rng, 600));
            drawn("slow reader", [Step::Read(at), Step::Pause(pause), whole, Step::send(success)])
        }
    }
}

/// Draws the behaviour of a download of this length.
pub(crate) fn cdn(rng: &mut Rng, length: u64) -> ScriptedFault {
    let head = Step::Read(Until::Head);
    match rng.u8(..100) {
        0..50 => drawn(ScriptedFault::NONE, [head, Step::send(Source::Picture)]),
        50..75 => {
            let at = offset(rng, length + 250);
            drawn("download cut", [head, Step::send_first(Source::Picture, at), Step::Cut(cut(rng))])
        }
        75..85 => drawn("download 404", [head, Step::send(Source::status(404, ErrorForm::Html))]),
        85..93 => drawn("download failure", [head, Step::send(failure(rng))]),
        93..96 => {
            let page = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>".to_vec();
            drawn("download of a page", [head, Step::send(Source::Raw(page))])
        }
        96..98 => drawn("download refused", [Step::Cut(cut(rng))]),
        _ => {
            let redirect = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_vec();
            drawn("download redirected", [head, Step::send(Source::Raw(redirect))])
        }
    }
}
