//! Text for messages: of limited length, on one line, without control characters.

use std::io;
use std::path::Path;

/// Escapes every character that could control or confuse a terminal. Use it for strings that a server sent.
///
/// ```
/// assert_eq!(gptimage_model::printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
/// ```
pub fn printable(text: &str) -> String {
    shorten(text, usize::MAX)
}

/// Escapes control characters and cuts the text after `max` characters.
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

/// Cuts the text after `max` characters, without escaping.
pub fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Returns a path as text on one line, with control characters escaped.
pub fn path(path: &Path) -> String {
    shorten(&path.display().to_string(), 200)
}

/// Returns whether the character is a quotation mark, which is often copied along from code, a shell or a text.
pub fn is_quote(char: char) -> bool {
    matches!(char, '"' | '\'' | '`' | '\u{ab}' | '\u{bb}' | '\u{2018}'..='\u{201f}' | '\u{2039}' | '\u{203a}')
}

/// Returns whether the character is a control character or reorders or hides text on a terminal.
pub fn is_unprintable(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Returns the operating system's text for an error, without the operation that failed.
pub fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => shorten(&error.to_string(), 200),
    }
}
