//! Decodes the response of a successful call while it arrives.

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

/// Maximum length of a response without its images, in bytes.
const REST_MAX: usize = 1 << 20;
/// Number of bytes that suffice to recognise the form of a response.
const HEAD_MAX: usize = 256;

/// An image that is being decoded.
#[derive(Debug)]
pub(crate) struct Payload {
    decoder: Base64Decoder,
    /// Whether the payload is the image's bytes instead of base64.
    plain: bool,
    /// Decoded bytes that were not taken yet.
    pub(crate) decoded: Vec<u8>,
    /// Total number of decoded bytes.
    pub(crate) total: u64,
    pub(crate) ended: bool,
    pub(crate) error: Option<Base64Error>,
}

/// The payloads, by number.
#[derive(Debug, Default)]
struct Payloads {
    list: Vec<Payload>,
    ignored: usize,
    reserve: usize,
    plain: bool,
    /// Number of characters of all payloads, including those that decode to nothing.
    text: u64,
}

impl PayloadSink for Payloads {
    fn begin(&mut self) -> usize {
        if self.list.len() == PICTURES_MAX {
            self.ignored += 1;
            return PICTURES_MAX + self.ignored;
        }
        // Reuse the buffer of the previous image, if its bytes were taken.
        let before = self.list.last_mut().filter(|last| last.ended && last.decoded.is_empty());
        let mut decoded = before.map(|last| std::mem::take(&mut last.decoded)).unwrap_or_default();
        // The server announced this length. If that much memory is not available, the buffer grows as bytes come.
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

/// Decodes one response in any form: JSON, server-sent events, an image by itself, or other text.
#[derive(Debug)]
pub(crate) struct AnswerDecoder {
    form: Form,
    /// The first bytes, until the form is recognised.
    head: Vec<u8>,
    scanner: Scanner,
    payloads: Payloads,
}

/// The form of a response's body.
#[derive(Debug)]
enum Form {
    Undecided {
        event_stream: bool,
    },
    Json,
    Events(SseReader),
    /// The bytes of an image.
    Picture,
    /// The base64 of an image, or a `data:` URI.
    PictureText,
    /// Not a response of an image API.
    Foreign,
}

/// A response without its images.
#[derive(Debug, Default)]
pub(crate) struct AnswerJson {
    /// The parsed JSON, with `null` in place of payloads. A list if there are several documents; `Value::Null` if the
    /// JSON is broken.
    pub(crate) value: Value,
    /// Why the JSON is broken.
    pub(crate) broken: Option<String>,
    /// Whether this is not a response of an image API at all.
    pub(crate) foreign: bool,
    /// The images and links.
    pub(crate) found: Vec<Found>,
    /// The error in the response, in the server's words.
    pub(crate) error: Option<String>,
    /// The task that the response names instead of images.
    pub(crate) task: Option<Task>,
    pub(crate) price: Price,
    pub(crate) warnings: Vec<Warning>,
}

impl AnswerDecoder {
    /// Creates a decoder. `expected` is the estimated length of the first image in bytes, `content_type` the
    /// response's.
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

    /// Decides the form, if it is still undecided, because the response has ended.
    pub(crate) fn finish(&mut self) {
        if let Form::Undecided { event_stream } = self.form {
            let (form, skip) = detect_form(&self.head, event_stream, true).unwrap_or((Form::Json, 0));
            self.begin(form, skip);
        }
    }

    /// Ends the decoding of a complete response, including payloads that end with it.
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

    /// Returns text that is too long to be parsed, for the caller that keeps the whole response.
    pub(crate) fn spilled(&mut self) -> &mut Vec<u8> {
        self.scanner.spilled()
    }

    /// Returns whether the text beside the images was too long to be parsed.
    #[cfg(feature = "internals")]
    pub(crate) fn overflowed(&self) -> bool {
        self.scanner.overflowed()
    }

    /// Returns the number of characters of all payloads, including those that decode to nothing.
    pub(crate) fn payload_text(&self) -> u64 {
        self.payloads.text
    }

    /// Returns the payloads found so far. The last one may not have ended.
    pub(crate) fn payloads(&mut self) -> &mut Vec<Payload> {
        &mut self.payloads.list
    }

    /// Returns the part of the response that is parsed, with numbers in place of the images, to show to people.
    pub(crate) fn rest(&self, key: &ApiKey) -> Vec<u8> {
        let rest = self.scanner.rest();
        match std::str::from_utf8(rest) {
            Ok(text) => key.redact_spread(&text.replace(self.scanner.marker(), "picture-")).into_bytes(),
            Err(_) => key.redact_stream(&mut rest.to_vec(), true),
        }
    }

    /// Returns the file name extension for the kind of response.
    pub(crate) fn extension(&self) -> &'static str {
        match self.form {
            Form::Json => "json",
            Form::Foreign if self.scanner.rest().trim_ascii_start().starts_with(b"<") => "html",
            Form::Foreign if std::str::from_utf8(self.scanner.rest()).is_err() => "bin",
            _ => "txt",
        }
    }

    /// Parses the text beside the images, after the response has ended.
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
                // An event need not be JSON, such as the one that marks the end.
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

/// Returns the form of a response that begins with `head`, and the number of bytes to skip. `None` if more bytes are
/// needed.
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
        // Do not wait for ever if white space never ends.
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

/// Parses every JSON value of a text: one value, or one per line.
fn parse_all(text: &[u8]) -> serde_json::Result<Vec<Value>> {
    serde_json::Deserializer::from_slice(text).into_iter::<Value>().collect()
}

/// Returns the images of all documents. Previews are left out if the final image is there.
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

/// Returns the images of a cut or broken response: its payloads, and the value of every complete `"url"`.
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
