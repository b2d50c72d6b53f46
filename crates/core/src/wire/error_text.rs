//! Decodes the bytes of a body to text, in any common encoding.

use std::borrow::Cow;

/// Number of bytes that are examined to recognise UTF-16 without a byte order mark.
const SNIFFED: usize = 256;
/// The characters 0x80 to 0x9F of Windows-1252, which servers label ISO 8859-1.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// Decodes UTF-8, UTF-16 with or without a byte order mark, or else Windows-1252. `None` if the result is not text.
pub(super) fn decode(body: &[u8]) -> Option<Cow<'_, str>> {
    let text = match body {
        [0xEF, 0xBB, 0xBF, rest @ ..] => eight_bits(rest),
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        _ => match zeros(body) {
            (even, odd) if odd * 3 > body.len().min(SNIFFED) && even * 8 < odd => {
                Cow::Owned(utf16(body, u16::from_le_bytes))
            }
            (even, odd) if even * 3 > body.len().min(SNIFFED) && odd * 8 < even => {
                Cow::Owned(utf16(body, u16::from_be_bytes))
            }
            _ => eight_bits(body),
        },
    };
    is_text(&text).then_some(text)
}

/// Counts the zero bytes at even and at odd positions.
fn zeros(body: &[u8]) -> (usize, usize) {
    let count = |first: usize| body.iter().take(SNIFFED).skip(first).step_by(2).filter(|byte| **byte == 0).count();
    (count(0), count(1))
}

fn utf16(body: &[u8], read: fn([u8; 2]) -> u16) -> String {
    let units = body.chunks_exact(2).filter_map(|pair| Some(read(pair.try_into().ok()?)));
    char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn eight_bits(body: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(body) {
        Ok(text) => return Cow::Borrowed(text),
        // The text is cut inside a character.
        Err(error) if error.error_len().is_none() => {
            return String::from_utf8_lossy(body.get(..error.valid_up_to()).unwrap_or_default());
        }
        Err(_) => {}
    }
    let lossy = String::from_utf8_lossy(body);
    let broken = lossy.chars().filter(|char| *char == char::REPLACEMENT_CHARACTER).count();
    let good = lossy.chars().filter(|char| !char.is_ascii()).count() - broken;
    if good > broken {
        return lossy;
    }
    let wide = |byte: u8| match byte {
        0x80..=0x9F => WINDOWS_1252.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    };
    Cow::Owned(body.iter().copied().map(wide).collect())
}

/// Returns whether people can read the text. A compressed body or an image is not worth repeating.
fn is_text(text: &str) -> bool {
    let odd = |char: char| {
        (char.is_control() && !char.is_whitespace() && char != '\u{1b}') || char == char::REPLACEMENT_CHARACTER
    };
    let odds = text.chars().filter(|char| odd(*char)).count();
    // A few unusual characters may come from a broken character or two, and harmful ones are escaped later.
    odds * 6 <= text.chars().count() + 4
}

/// Returns the data of server-sent events. `None` if the text has no events.
pub(super) fn event_data(text: &str) -> Option<String> {
    let is_field = |line: &str| ["data:", "event:", "id:", "retry:", ":"].iter().any(|field| line.starts_with(field));
    if !text.lines().next().is_some_and(is_field) {
        return None;
    }
    let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).collect();
    (!data.is_empty()).then(|| data.join("\n"))
}
