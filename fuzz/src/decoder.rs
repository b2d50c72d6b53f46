//! The streaming decoder against serde_json and base64.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use gptimage_core::internals::{DecodedAnswer, decode_answer};
use serde_json::Value;

const KEY: &str = "sk-0123456789abcdef0123456789abcdef";
/// Maximum number of images in a response; of a response with more, the comparison is skipped.
const PICTURES_MAX: usize = 64;
/// Maximum size of the text beside the images.
const REST_MAX: usize = 1 << 20;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes a response in pieces. The first byte is the number of cuts and two bytes each say where; the rest is the
/// response.
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

/// Compares the decoder's result with the parsed JSON.
fn compare(decoded: &DecodedAnswer, mut meant: Value) {
    // The decoder takes this many payloads, duplicate keys included; nothing is promised beyond.
    if decoded.payloads.len() >= PICTURES_MAX {
        return;
    }
    assert!(!decoded.broken && !decoded.overflowed, "it is JSON");
    let mut found = decoded.found.iter();
    let entries = meant.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    if entries.len() > PICTURES_MAX {
        return;
    }
    for entry in &entries {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let inline = entry.get("b64_json").and_then(Value::as_str).filter(|text| !is_link(text));
        let inline = inline.or_else(|| text("url").filter(|text| is_picture(text)));
        let link = text("url").filter(|url| !is_picture(url)).or_else(|| text("b64_json").filter(|text| is_link(text)));
        if inline.is_none() && link.is_none() {
            continue;
        }
        let (number, url) = found.next().expect("each entry that holds something is found");
        assert_eq!(url.as_deref(), link.map(str::trim));
        assert_eq!(number.is_some(), inline.is_some());
        if let (Some(number), Some(text)) = (number, inline) {
            let payload = &decoded.payloads[*number];
            assert!(payload.ended, "its quote was seen");
            match decode(text) {
                Some(bytes) => assert_eq!((&payload.bytes, payload.broken), (&bytes, false), "of {text:?}"),
                None => assert!(payload.broken, "{text:?} is no base64"),
            }
        }
    }
    forget_pictures(&mut meant, false);
    assert_eq!(decoded.value, meant, "the rest is as serde_json reads it");
}

/// Replaces each image by `null`, wherever it is.
fn forget_pictures(value: &mut Value, keyed: bool) {
    match value {
        Value::String(text) => {
            if (keyed && !is_link(text)) || (!keyed && is_picture(text)) {
                *value = Value::Null;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| forget_pictures(item, false)),
        Value::Object(members) => {
            members.iter_mut().for_each(|(name, value)| forget_pictures(value, name == "b64_json"));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Number of bytes at the start of a text that the decoder examines.
const LOOKED_AT: usize = 256;

fn beginning(text: &str) -> &str {
    let trimmed = text.trim_ascii_start();
    // The decoder does not look past this much white space.
    if text.len() - trimmed.len() > LOOKED_AT - 128 { "" } else { trimmed }
}

fn is_link(text: &str) -> bool {
    let text = beginning(text).to_ascii_lowercase();
    text.starts_with("http://") || text.starts_with("https://")
}

/// Returns whether a text is a `data:` URI in base64, or starts with the base64 of an image's signature.
fn is_picture(text: &str) -> bool {
    let text = beginning(text);
    if text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        let header = text[5..].split(',').next().unwrap_or_default();
        let has_comma = text[5..].len() > header.len();
        return has_comma
            && header.len() < 128
            && header.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
            && header.to_ascii_lowercase().ends_with(";base64");
    }
    let signed = ["iVBORw0KGgo", "/9j/", "_9j_", "UklGR"].iter().any(|signature| text.starts_with(signature));
    let letters: Vec<_> = text.bytes().take(24).collect();
    signed
        && letters.len() == 24
        && letters.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_ \r\n\t".contains(byte))
}

/// Decodes base64 with the same leniency as the library, for whole texts. `None` if it is invalid.
fn decode(text: &str) -> Option<Vec<u8>> {
    const BLANK: [char; 4] = [' ', '\n', '\r', '\t'];
    let text = text.trim_start_matches(BLANK);
    let is_uri = text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"));
    let text = match text.get(5..).filter(|_| is_uri) {
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
