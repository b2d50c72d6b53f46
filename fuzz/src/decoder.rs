//! The streaming decoder against serde_json and base64.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use gptimage_core::internals::{DecodedAnswer, decode_answer};
use serde_json::Value;

const KEY: &str = "sk-0123456789abcdef0123456789abcdef";
/// Of an answer with more, not all are looked at.
const PICTURES_MAX: usize = 64;
/// What stands beside the pictures is kept up to here.
const REST_MAX: usize = 1 << 20;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The first byte says how many cuts there are, two bytes each say where; the rest is an answer.
pub fn decoder(data: &[u8]) {
    let Some((&count, rest)) = data.split_first() else { return };
    let count = usize::from(count % 16).min(rest.len() / 2);
    let (cuts, body) = rest.split_at(2 * count);
    if body.len() > REST_MAX || body.windows(KEY.len()).any(|window| window == KEY.as_bytes()) {
        return;
    }
    let mut cuts: Vec<usize> = cuts.chunks_exact(2).map(|at| usize::from(at[0]) << 8 | usize::from(at[1])).collect();
    cuts.iter_mut().for_each(|at| *at %= body.len() + 1);
    cuts.sort_unstable();
    let bounds: Vec<usize> = std::iter::once(0).chain(cuts).chain([body.len()]).collect();
    let whole = decode_answer([body], KEY).unwrap();
    let in_pieces = decode_answer(bounds.windows(2).map(|ends| &body[ends[0]..ends[1]]), KEY).unwrap();
    assert_eq!(whole, in_pieces, "the pieces make a difference");
    if let Ok(Value::Object(answer)) = serde_json::from_slice(body) {
        compare(&whole, Value::Object(answer));
    }
}

/// Holds the decoder's answer against what the JSON means.
fn compare(decoded: &DecodedAnswer, mut meant: Value) {
    // So many payloads, duplicate keys included, are decoded; of more, nothing is promised.
    if decoded.payloads.len() >= PICTURES_MAX {
        return;
    }
    assert!(!decoded.broken && !decoded.overflowed, "it is JSON");
    let mut found = decoded.found.iter();
    let entries = meant.get_mut("data").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    let mut entries_left = Vec::new();
    for (index, mut entry) in entries.into_iter().enumerate() {
        let url = entry.get("url").and_then(Value::as_str).filter(|url| !url.is_empty()).map(str::to_owned);
        let text = entry.get("b64_json").and_then(Value::as_str).map(str::to_owned);
        if index < PICTURES_MAX {
            if text.is_some() || url.is_some() {
                let (number, link) = found.next().expect("each entry that holds something is found");
                assert_eq!(*link, url);
                assert_eq!(number.is_some(), text.is_some());
                if let (Some(number), Some(text)) = (number, &text) {
                    let payload = &decoded.payloads[*number];
                    assert!(payload.ended, "its quote was seen");
                    match decode(text) {
                        Some(bytes) => assert_eq!((&payload.bytes, payload.broken), (&bytes, false), "of {text:?}"),
                        None => assert!(payload.broken, "{text:?} is no base64"),
                    }
                }
            }
            if text.is_some() {
                entry["b64_json"] = Value::Null;
            }
            entries_left.push(entry);
        } else {
            return;
        }
    }
    assert_eq!(found.next(), None, "nothing else is found");
    if let Some(data) = meant.get_mut("data").and_then(Value::as_array_mut) {
        *data = entries_left;
    }
    assert_eq!(decoded.value, meant, "the rest is as serde_json reads it");
}

/// The rules of leniency once more, written for whole texts. `None`: no base64.
fn decode(text: &str) -> Option<Vec<u8>> {
    const BLANK: [char; 4] = [' ', '\n', '\r', '\t'];
    let text = text.trim_start_matches(BLANK);
    let text = match text.strip_prefix("data:") {
        Some(rest) => rest.split_once(',')?.1,
        None => text,
    };
    let clean: String = text
        .chars()
        .filter(|char| !BLANK.contains(char))
        .map(|char| match char {
            '-' => '+',
            '_' => '/',
            char => char,
        })
        .collect();
    let text = clean.trim_end_matches('=');
    LENIENT.decode(text).ok()
}
