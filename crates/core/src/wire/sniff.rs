//! Recognises links and images in base64 by the first characters of a text.

/// The result, as far as the first characters allow one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    Yes,
    No,
    /// More characters are needed.
    Open,
}

/// The signatures of PNG, JPEG and WebP in base64, in both alphabets.
const SIGNATURES: &[&[u8]] = &[b"iVBORw0KGgo", b"/9j/", b"_9j_", b"UklGR"];
/// Number of base64 characters after which a signature is not a coincidence. Every image is longer.
const SIGNATURE_TEXT: usize = 24;
const SCHEME: &[u8] = b"data:";
const BASE64: &[u8] = b";base64";
/// Maximum length of the media type of a `data:` URI, in bytes.
const MEDIA_TYPE_MAX: usize = 128;

/// Returns whether the text is an image in base64, because of a `data:` prefix or an image's signature.
pub(crate) fn sniff(text: &[u8]) -> Guess {
    let text = text.trim_ascii_start();
    match begins_without_case(text, SCHEME) {
        Guess::No => {}
        Guess::Open => return Guess::Open,
        Guess::Yes => return is_base64_uri(text.get(SCHEME.len()..).unwrap_or_default()),
    }
    let begins = |signature: &&[u8]| begins_with(text, signature) != Guess::No;
    if !SIGNATURES.iter().any(begins) {
        return Guess::No;
    }
    let letters = text.iter().take(SIGNATURE_TEXT);
    match letters.clone().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_ \r\n\t".contains(byte)) {
        false => Guess::No,
        true if letters.len() < SIGNATURE_TEXT => Guess::Open,
        true => Guess::Yes,
    }
}

/// Returns whether the text is an absolute link.
pub(crate) fn is_link(text: &[u8]) -> Guess {
    let text = text.trim_ascii_start();
    let schemes: [&[u8]; 2] = [b"http://", b"https://"];
    let guesses = schemes.map(|scheme| begins_without_case(text, scheme));
    if guesses.contains(&Guess::Yes) {
        Guess::Yes
    } else if guesses.contains(&Guess::Open) {
        Guess::Open
    } else {
        Guess::No
    }
}

/// Returns whether the text after `data:`, up to its comma, declares base64.
fn is_base64_uri(text: &[u8]) -> Guess {
    let end = text.iter().take(MEDIA_TYPE_MAX).position(|byte| *byte == b',');
    let header = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    if !header.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'"') {
        return Guess::No;
    }
    match end {
        Some(_) if ends_without_case(header, BASE64) => Guess::Yes,
        None if text.len() < MEDIA_TYPE_MAX => Guess::Open,
        _ => Guess::No,
    }
}

fn begins_with(text: &[u8], prefix: &[u8]) -> Guess {
    if text.starts_with(prefix) {
        Guess::Yes
    } else if prefix.starts_with(text) {
        Guess::Open
    } else {
        Guess::No
    }
}

fn begins_without_case(text: &[u8], prefix: &[u8]) -> Guess {
    let both = text.len().min(prefix.len());
    let same = text.iter().zip(prefix).take(both).all(|(one, other)| one.eq_ignore_ascii_case(other));
    match same {
        false => Guess::No,
        true if both < prefix.len() => Guess::Open,
        true => Guess::Yes,
    }
}

fn ends_without_case(text: &[u8], suffix: &[u8]) -> bool {
    text.len() >= suffix.len()
        && text.get(text.len() - suffix.len()..).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

#[cfg(test)]
mod tests {
    use super::{Guess, is_link, sniff};

    #[test]
    fn pictures_are_known_by_their_prefix_or_signature() {
        for (text, guess) in [
            ("data:image/png;base64,iV", Guess::Yes),
            ("  DATA:image/webp;charset=x;BASE64,", Guess::Yes),
            ("data:;base64,", Guess::Yes),
            ("data:image/svg+xml;utf8,<svg", Guess::No),
            ("data: not found", Guess::No),
            ("data", Guess::Open),
            ("data:image/png", Guess::Open),
            ("iVBORw0KGgoAAAANSUhEUgAAAAQ", Guess::Yes),
            ("iVBORw0KGgoAAAANSUhE", Guess::Open),
            ("/9j/4AAQSkZJRgABAQEASABIAAD", Guess::Yes),
            ("/9j/pictures/a.png", Guess::No),
            ("_9j_4AAQSkZJRgABAQEASABIAAD", Guess::Yes),
            ("UklGRiQAAABXRUJQVlA4IBgAAAA", Guess::Yes),
            ("/picture.png", Guess::No),
            ("A red hat", Guess::No),
            ("", Guess::Open),
        ] {
            assert_eq!(sniff(text.as_bytes()), guess, "{text}");
        }
    }

    #[test]
    fn links_are_known_by_their_scheme() {
        for (text, guess) in
            [("https://a", Guess::Yes), ("HTTP://a", Guess::Yes), ("htt", Guess::Open), ("aGVsbG8", Guess::No)]
        {
            assert_eq!(is_link(text.as_bytes()), guess, "{text}");
        }
    }
}
