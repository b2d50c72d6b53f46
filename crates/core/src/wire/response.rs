//! The answer of a successful call, decoded while it arrives.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::base64::{Base64Decoder, Base64Error};
use super::header;
use super::scanner::{PayloadSink, Scanner};
use crate::amount::Amount;
use crate::attempt::Cost;
use crate::client::Balance;
use crate::secret::ApiKey;
use crate::warning::Warning;

/// Longest answer beside its pictures, in bytes.
const REST_MAX: usize = 1 << 20;
/// More pictures than this are not looked at.
const PAYLOADS_MAX: usize = 64;

/// One `b64_json` on its way through the decoder.
#[derive(Debug)]
pub(crate) struct Payload {
    decoder: Base64Decoder,
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
    /// Characters of all payloads, whatever became of them.
    text: u64,
}

impl PayloadSink for Payloads {
    fn begin(&mut self) -> usize {
        if self.list.len() == PAYLOADS_MAX {
            self.ignored += 1;
            return PAYLOADS_MAX + self.ignored;
        }
        // The buffer of the picture before, once that was taken from it, serves again.
        let before = self.list.last_mut().filter(|last| last.ended && last.decoded.is_empty());
        let mut decoded = before.map(|last| std::mem::take(&mut last.decoded)).unwrap_or_default();
        decoded.reserve(std::mem::take(&mut self.reserve));
        self.list.push(Payload { decoder: Base64Decoder::new(), decoded, total: 0, ended: false, error: None });
        self.list.len() - 1
    }

    fn payload(&mut self, piece: &[u8]) {
        self.text += piece.len() as u64;
        let Some(open) = self.list.last_mut().filter(|open| !open.ended && open.error.is_none()) else { return };
        let before = open.decoded.len();
        if let Err(error) = open.decoder.push(piece, &mut open.decoded) {
            open.error = Some(error);
        }
        open.total += (open.decoded.len() - before) as u64;
    }

    fn end(&mut self) {
        let Some(open) = self.list.last_mut().filter(|open| !open.ended) else { return };
        let before = open.decoded.len();
        if open.error.is_none() {
            open.error = open.decoder.finish(&mut open.decoded).err();
        }
        open.total += (open.decoded.len() - before) as u64;
        open.ended = true;
    }
}

/// Decodes one answer.
#[derive(Debug)]
pub(crate) struct AnswerDecoder {
    scanner: Scanner,
    payloads: Payloads,
}

/// One entry of `data`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Found {
    /// The number of its payload.
    pub(crate) payload: Option<usize>,
    pub(crate) url: Option<String>,
    pub(crate) revised_prompt: Option<String>,
}

/// An answer without its pictures.
#[derive(Debug, Default)]
pub(crate) struct AnswerJson {
    /// The parsed JSON, `null` where payloads were; `Value::Null` if it is broken.
    pub(crate) value: Value,
    /// Why it is broken.
    pub(crate) broken: Option<String>,
    /// The entries of `data` that hold something.
    pub(crate) found: Vec<Found>,
    pub(crate) is_error: bool,
    pub(crate) cost: Cost,
    pub(crate) warnings: Vec<Warning>,
}

impl AnswerDecoder {
    /// `expected` is the length of the first picture in bytes, where it can be guessed.
    pub(crate) fn new(expected: usize) -> Self {
        Self { scanner: Scanner::new(REST_MAX), payloads: Payloads { reserve: expected, ..Payloads::default() } }
    }

    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.scanner.push(piece, &mut self.payloads);
    }

    /// Whether there is more beside the pictures than is kept: then nothing is left to wait for.
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

    /// The beginning of the answer without its pictures, for people.
    pub(crate) fn excerpt(&self, max: usize) -> String {
        let rest = self.scanner.rest();
        String::from_utf8_lossy(rest.get(..max.min(rest.len())).unwrap_or_default()).into_owned()
    }

    /// Parses what is left beside the pictures.
    pub(crate) fn json(&self, key: &ApiKey) -> AnswerJson {
        let rest = self.scanner.rest();
        let broken = |reason: String| AnswerJson {
            broken: Some(reason),
            found: salvage_found(rest, self.payloads.list.len(), key),
            ..AnswerJson::default()
        };
        if self.scanner.overflowed() {
            return broken(format!("it has more than {REST_MAX} bytes beside its pictures"));
        }
        let mut value: Value = match serde_json::from_slice(rest) {
            Ok(value @ Value::Object(_)) => value,
            Ok(_) => return broken("it is no JSON object".to_owned()),
            Err(error) => return broken(format!("its JSON is broken: {error}")),
        };
        key.redact_json(&mut value);
        let found = take_found(&mut value);
        let mut warnings = Vec::new();
        let cost = cost_from_body(rest, key, &mut warnings);
        let is_error = value.get("error").is_some_and(|error| !error.is_null());
        AnswerJson { value, broken: None, found, is_error, cost, warnings }
    }
}

/// The entries of `data`; payload numbers become `null` in the JSON.
fn take_found(value: &mut Value) -> Vec<Found> {
    let entries = value.get_mut("data").and_then(Value::as_array_mut);
    let mut found = Vec::new();
    for entry in entries.into_iter().flatten().take(PAYLOADS_MAX) {
        let text =
            |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let (url, revised_prompt) = (text("url"), text("revised_prompt"));
        let payload = match entry.get_mut("b64_json") {
            Some(payload @ Value::String(_)) => payload.take().as_str().and_then(|number| number.parse().ok()),
            _ => None,
        };
        if payload.is_some() || url.is_some() {
            found.push(Found { payload, url, revised_prompt });
        }
    }
    found
}

/// What a cut or broken answer still shows: the payloads, and every `"url"` that is whole.
fn salvage_found(rest: &[u8], payloads: usize, key: &ApiKey) -> Vec<Found> {
    const KEY: &[u8] = b"\"url\"";
    let mut found: Vec<_> = (0..payloads).map(|number| Found { payload: Some(number), ..Found::default() }).collect();
    let urls = memchr::memmem::find_iter(rest, KEY).filter_map(|at| {
        let after = rest.get(at + KEY.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        let url = serde_json::Deserializer::from_slice(after).into_iter::<String>().next()?.ok()?;
        Some(key.redact(&url).into_owned())
    });
    found.extend(urls.take(PAYLOADS_MAX).map(|url| Found { url: Some(url), ..Found::default() }));
    found
}

/// The members of a JSON object as their own text.
pub(super) fn members(text: &str) -> Option<HashMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

fn cost_from_body(rest: &[u8], key: &ApiKey, warnings: &mut Vec<Warning>) -> Cost {
    let usage = std::str::from_utf8(rest)
        .ok()
        .and_then(members)
        .and_then(|answer| members(answer.get("meta")?.get()))
        .and_then(|meta| members(meta.get("usage")?.get()));
    let Some(usage) = usage else { return Cost::default() };
    let mut amount = |name: &str| {
        let text = usage.get(name)?.get();
        // Money may be written as text.
        read_amount(text.trim_matches('"'), key, warnings)
    };
    Cost { usd: amount("usd_spent"), credits: amount("credits_used") }
}

pub(super) fn read_amount(text: &str, key: &ApiKey, warnings: &mut Vec<Warning>) -> Option<Amount> {
    if text == "null" {
        return None;
    }
    let amount = text.parse().ok();
    if amount.is_none() {
        warnings.push(Warning::price_unreadable(&key.redact(text)));
    }
    amount
}

/// The answer of the balance question, its number as written.
pub(crate) fn parse_balance(body: &[u8], key: &ApiKey) -> Option<Balance> {
    let answer = members(std::str::from_utf8(body).ok()?)?;
    let text = |name: &str| {
        let text = answer.get(name)?.get();
        let text = serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned());
        (text != "null").then(|| crate::text::shorten(&key.redact(&text), 40))
    };
    let current_balance = text("current_balance")?;
    // A debt is negative; else it is as exact as every amount.
    current_balance.strip_prefix('-').unwrap_or(&current_balance).parse::<crate::Amount>().ok()?;
    Some(Balance { current_balance, currency: text("currency") })
}

/// The price that comes before the body.
pub(crate) fn cost_from_headers<'a>(
    get: impl Fn(&'static str) -> Option<&'a str>,
    key: &ApiKey,
    warnings: &mut Vec<Warning>,
) -> Cost {
    let mut amount = |name| read_amount(get(name)?.trim(), key, warnings);
    Cost { usd: amount(header::USD_SPENT), credits: amount(header::CREDITS_USED) }
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
