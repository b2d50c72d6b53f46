//! The answer of a successful call, decoded while it arrives.

use gptimage_model::ImageFormat;
use serde_json::Value;

use super::base64::{Base64Decoder, Base64Error};
use super::error_body::ErrorBody;
use super::pictures::{self, Found, PICTURES_MAX, Task};
use super::price::Price;
use super::scanner::{PayloadSink, Scanner};
use super::sniff::{Guess, is_link, sniff};
use super::sse::SseReader;
use crate::secret::ApiKey;
use crate::warning::Warning;

/// Longest answer beside its pictures, in bytes.
const REST_MAX: usize = 1 << 20;
/// Most bytes that are needed to tell an answer's form.
const HEAD_MAX: usize = 256;

/// One picture on its way through the decoder.
#[derive(Debug)]
pub(crate) struct Payload {
    decoder: Base64Decoder,
    /// Its bytes come as they are, and not as base64.
    plain: bool,
    /// Decoded bytes that nobody took yet.
    pub(crate) decoded: Vec<u8>,
    /// How many bytes were decoded in all.
    pub(crate) total: u64,
    pub(crate) ended: bool,
    pub(crate) error: Option<Base64Error>,
}

/// Payloads by their number.
#[derive(Debug, Default)]
struct Payloads {
    list: Vec<Payload>,
    ignored: usize,
    reserve: usize,
    plain: bool,
    /// Characters of all payloads, whatever became of them.
    text: u64,
}

impl PayloadSink for Payloads {
    fn begin(&mut self) -> usize {
        if self.list.len() == PICTURES_MAX {
            self.ignored += 1;
            return PICTURES_MAX + self.ignored;
        }
        // The buffer of the picture before, once that was taken from it, serves again.
        let before = self.list.last_mut().filter(|last| last.ended && last.decoded.is_empty());
        let mut decoded = before.map(|last| std::mem::take(&mut last.decoded)).unwrap_or_default();
        // What is expected is the server's word: where so much cannot be had, it grows as it comes.
        let _ = decoded.try_reserve(std::mem::take(&mut self.reserve));
        let (decoder, plain) = (Base64Decoder::new(), self.plain);
        self.list.push(Payload { decoder, plain, decoded, total: 0, ended: false, error: None });
        self.list.len() - 1
    }

    fn payload(&mut self, piece: &[u8]) {
        self.text += piece.len() as u64;
        let Some(open) = self.list.last_mut().filter(|open| !open.ended && open.error.is_none()) else { return };
        let before = open.decoded.len();
        if open.plain {
            open.decoded.extend_from_slice(piece);
        } else if let Err(error) = open.decoder.push(piece, &mut open.decoded) {
            open.error = Some(error);
        }
        open.total += (open.decoded.len() - before) as u64;
    }

    fn end(&mut self) {
        let Some(open) = self.list.last_mut().filter(|open| !open.ended) else { return };
        let before = open.decoded.len();
        if open.error.is_none() && !open.plain {
            open.error = open.decoder.finish(&mut open.decoded).err();
        }
        open.total += (open.decoded.len() - before) as u64;
        open.ended = true;
    }
}

/// Decodes one answer, whatever it is: JSON, events, a picture by itself, or a text that is none of these.
#[derive(Debug)]
pub(crate) struct AnswerDecoder {
    form: Form,
    /// The first bytes, until they tell the form.
    head: Vec<u8>,
    scanner: Scanner,
    payloads: Payloads,
}

/// The form of an answer's body.
#[derive(Debug)]
enum Form {
    Undecided {
        event_stream: bool,
    },
    Json,
    Events(SseReader),
    /// A picture's own bytes.
    Picture,
    /// A picture's base64, or a `data:` URI.
    PictureText,
    /// Nothing that an image API answers with.
    Foreign,
}

/// An answer without its pictures.
#[derive(Debug, Default)]
pub(crate) struct AnswerJson {
    /// The parsed JSON, `null` where payloads were; a list where there are several documents; `Value::Null` if it is broken.
    pub(crate) value: Value,
    /// Why it is broken.
    pub(crate) broken: Option<String>,
    /// It is no answer of an image API at all.
    pub(crate) foreign: bool,
    /// The pictures and links.
    pub(crate) found: Vec<Found>,
    /// The error that it holds, in the server's words.
    pub(crate) error: Option<String>,
    /// The task that it names in place of pictures.
    pub(crate) task: Option<Task>,
    pub(crate) price: Price,
    pub(crate) warnings: Vec<Warning>,
}

impl AnswerDecoder {
    /// `expected` is the length of the first picture in bytes, where it can be guessed; `content_type` the answer's.
    pub(crate) fn new(expected: usize, content_type: Option<&str>) -> Self {
        let event_stream = content_type.is_some_and(|it| it.trim_start().starts_with("text/event-stream"));
        Self {
            form: Form::Undecided { event_stream },
            head: Vec::new(),
            scanner: Scanner::new(REST_MAX, format!("payload-{}-", crate::random::token())),
            payloads: Payloads { reserve: expected, ..Payloads::default() },
        }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        if let Form::Undecided { event_stream } = self.form {
            self.head.extend_from_slice(piece);
            if let Some((form, skip)) = detect_form(&self.head, event_stream, false) {
                self.begin(form, skip);
            }
        } else {
            self.feed(piece);
        }
    }

    /// The answer has ended: what is undecided is decided now.
    pub(crate) fn finish(&mut self) {
        if let Form::Undecided { event_stream } = self.form {
            let (form, skip) = detect_form(&self.head, event_stream, true).unwrap_or((Form::Json, 0));
            self.begin(form, skip);
        }
    }

    /// No more will come, and nothing is missing: what ends with the answer has ended.
    pub(crate) fn end_whole(&mut self) {
        self.finish();
        match self.form {
            Form::Picture | Form::PictureText => self.payloads.end(),
            Form::Events(_) => self.scanner.end_document(&mut self.payloads),
            Form::Undecided { .. } | Form::Json | Form::Foreign => {}
        }
    }

    fn begin(&mut self, form: Form, skip: usize) {
        if matches!(form, Form::Picture | Form::PictureText) {
            self.payloads.plain = matches!(form, Form::Picture);
            self.payloads.begin();
        }
        self.form = form;
        let head = std::mem::take(&mut self.head);
        self.feed(head.get(skip..).unwrap_or_default());
    }

    fn feed(&mut self, piece: &[u8]) {
        match &mut self.form {
            Form::Json => self.scanner.push(piece, &mut self.payloads),
            Form::Events(reader) => reader.push(piece, &mut self.scanner, &mut self.payloads),
            Form::Picture | Form::PictureText => self.payloads.payload(piece),
            Form::Foreign | Form::Undecided { .. } => self.scanner.push_foreign(piece),
        }
    }

    /// Text that is too long to be parsed, for whoever keeps the whole answer.
    pub(crate) fn spilled(&mut self) -> &mut Vec<u8> {
        self.scanner.spilled()
    }

    /// Whether there is more beside the pictures than is parsed.
    #[cfg(feature = "internals")]
    pub(crate) fn overflowed(&self) -> bool {
        self.scanner.overflowed()
    }

    /// How many characters of payloads came, those among them that decode to nothing.
    pub(crate) fn payload_text(&self) -> u64 {
        self.payloads.text
    }

    /// The payloads met so far; the last one may be open.
    pub(crate) fn payloads(&mut self) -> &mut Vec<Payload> {
        &mut self.payloads.list
    }

    /// The answer without its pictures, as much of it as is parsed, for people: numbers stand where they were.
    pub(crate) fn rest(&self, key: &ApiKey) -> Vec<u8> {
        let rest = self.scanner.rest();
        match std::str::from_utf8(rest) {
            Ok(text) => key.redact_spread(&text.replace(self.scanner.marker(), "picture-")).into_bytes(),
            Err(_) => key.redact_stream(&mut rest.to_vec(), true),
        }
    }

    /// The file name extension that fits the answer.
    pub(crate) fn extension(&self) -> &'static str {
        match self.form {
            Form::Json => "json",
            Form::Foreign if self.scanner.rest().trim_ascii_start().starts_with(b"<") => "html",
            Form::Foreign if std::str::from_utf8(self.scanner.rest()).is_err() => "bin",
            _ => "txt",
        }
    }

    /// Parses what is left beside the pictures. The answer has ended.
    pub(crate) fn json(&self, key: &ApiKey) -> AnswerJson {
        let rest = self.scanner.rest();
        let mut warnings = Vec::new();
        match self.form {
            Form::Picture | Form::PictureText => {
                let found = vec![Found { payload: Some(0), ..Found::default() }];
                return AnswerJson { found, ..AnswerJson::default() };
            }
            Form::Foreign => {
                let url = pictures::only_link(rest).map(|url| key.redact(&url).into_owned());
                let found: Vec<_> = url.into_iter().map(|url| Found { url: Some(url), ..Found::default() }).collect();
                return AnswerJson { foreign: found.is_empty(), found, ..AnswerJson::default() };
            }
            Form::Undecided { .. } | Form::Json | Form::Events(_) => {}
        }
        let broken = |reason: String| AnswerJson {
            broken: Some(reason),
            found: salvage_found(rest, self.payloads.list.len(), key),
            ..AnswerJson::default()
        };
        if self.scanner.overflowed() {
            return broken(format!("it has more than {REST_MAX} bytes beside its pictures"));
        }
        let events = matches!(self.form, Form::Events(_));
        let texts = if events { self.scanner.documents().collect() } else { vec![rest] };
        let mut documents = Vec::new();
        let mut price = Price::default();
        let mut why = None;
        for text in texts {
            match parse_all(text) {
                Ok(parsed) => documents.extend(parsed),
                // An event may be no JSON, such as the one that says that nothing follows.
                Err(error) => why = Some(format!("its JSON is broken: {error}")),
            }
            price = price.larger(Price::from_body(text, key, &mut warnings), &mut warnings);
        }
        if documents.is_empty() && why.is_none() {
            return broken("it is empty".to_owned());
        }
        if let Some(reason) = why.filter(|_| !events || documents.is_empty()) {
            return broken(reason);
        }
        documents.iter_mut().for_each(|document| key.redact_json(document));
        let found = find_in(&mut documents, self.scanner.marker());
        let holds_error = |it: &&Value| it.get("error").is_some_and(|error| !error.is_null());
        let error = documents.iter().find(holds_error);
        let error = error.map(|it| ErrorBody::read(it, key).message.unwrap_or_else(|| "it gave no reason".to_owned()));
        let task = documents.iter().find_map(pictures::task);
        let value = match documents.len() {
            1 => documents.remove(0),
            _ => Value::Array(documents),
        };
        AnswerJson { value, broken: None, foreign: false, found, error, task, price, warnings }
    }
}

/// The form of an answer that begins so, and how much of its beginning means nothing. `None`: more is needed.
fn detect_form(head: &[u8], event_stream: bool, ended: bool) -> Option<(Form, usize)> {
    /// A byte order mark.
    const MARK: &[u8] = b"\xef\xbb\xbf";
    const FIELDS: [&[u8]; 4] = [b"event:", b"id:", b"retry:", b"data:"];
    if event_stream {
        return Some((Form::Events(SseReader::new()), 0));
    }
    if head.len() < ImageFormat::SNIFF_LEN && !ended {
        return None;
    }
    if ImageFormat::sniff(head).is_some() {
        return Some((Form::Picture, 0));
    }
    let text = head.strip_prefix(MARK).unwrap_or(head);
    let mark = head.len() - text.len();
    let begins = text.trim_ascii_start();
    match begins.first() {
        // White space may go on for ever.
        None if !ended && head.len() < HEAD_MAX => return None,
        None | Some(b'{' | b'[' | b'"') => return Some((Form::Json, mark)),
        Some(_) => {}
    }
    match sniff(begins) {
        Guess::Yes => return Some((Form::PictureText, mark)),
        Guess::Open if !ended && head.len() < HEAD_MAX => return None,
        Guess::Open | Guess::No => {}
    }
    if begins.starts_with(b":") || FIELDS.iter().any(|field| begins.starts_with(field)) {
        return Some((Form::Events(SseReader::new()), mark));
    }
    let is_literal = |literal: &[u8]| begins.trim_ascii_end() == literal;
    if [&b"null"[..], b"true", b"false"].into_iter().any(is_literal) || matches!(begins, [b'0'..=b'9' | b'-', ..]) {
        return Some((Form::Json, mark));
    }
    Some((Form::Foreign, mark))
}

/// Every JSON value of a text: one, or one a line.
fn parse_all(text: &[u8]) -> serde_json::Result<Vec<Value>> {
    serde_json::Deserializer::from_slice(text).into_iter::<Value>().collect()
}

/// The pictures of all documents. Previews of a picture that is there are left out.
fn find_in(documents: &mut [Value], marker: &str) -> Vec<Found> {
    let mut whole = Vec::new();
    let mut partial = Vec::new();
    for document in documents {
        let is_partial = document.get("type").and_then(Value::as_str).is_some_and(|it| it.contains("partial"));
        let found = pictures::find(document, marker);
        if is_partial && !found.is_empty() {
            partial = found;
        } else {
            whole.extend(found);
        }
    }
    if whole.is_empty() { partial } else { whole }
}

/// The pictures of a cut or broken answer: its payloads, and every `"url"` that is whole.
fn salvage_found(rest: &[u8], payloads: usize, key: &ApiKey) -> Vec<Found> {
    const KEY: &[u8] = b"\"url\"";
    let mut found: Vec<_> = (0..payloads).map(|number| Found { payload: Some(number), ..Found::default() }).collect();
    let urls = memchr::memmem::find_iter(rest, KEY).filter_map(|at| {
        let after = rest.get(at + KEY.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        let url = serde_json::Deserializer::from_slice(after).into_iter::<String>().next()?.ok()?;
        (is_link(url.trim().as_bytes()) == Guess::Yes || url.starts_with('/')).then(|| key.redact(&url).into_owned())
    });
    found.extend(urls.take(PICTURES_MAX).map(|url| Found { url: Some(url), ..Found::default() }));
    found
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
