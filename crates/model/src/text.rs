//! Text for people: bounded, on one line, without control characters.

use std::io;
use std::path::Path;

/// `text` with every character escaped that could control or confuse a terminal: for strings that a server chose.
///
/// ```
/// assert_eq!(gptimage_model::printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
/// ```
pub fn printable(text: &str) -> String {
    shorten(text, usize::MAX)
}

/// `text` with control characters escaped and cut after `max` characters.
pub fn shorten(text: &str, max: usize) -> String {
    let mut out = String::new();
    for (index, char) in text.chars().enumerate() {
        if index == max {
            out.push('…');
            break;
        }
        if is_unprintable(char) {
            out.extend(char.escape_default());
        } else {
            out.push(char);
        }
    }
    out
}

/// `text` cut after `max` characters, and else as it is.
pub fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A path on one line, whatever its name holds.
pub fn path(path: &Path) -> String {
    shorten(&path.display().to_string(), 200)
}

/// Quotation marks that come along when something is copied out of code, a shell or a text.
pub fn is_quote(char: char) -> bool {
    matches!(char, '"' | '\'' | '`' | '\u{ab}' | '\u{bb}' | '\u{2018}'..='\u{201f}' | '\u{2039}' | '\u{203a}')
}

/// Controls, and the marks that reorder or hide text on a terminal.
pub fn is_unprintable(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The system's words for an error, without the operation that failed.
pub fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => shorten(&error.to_string(), 200),
    }
}
