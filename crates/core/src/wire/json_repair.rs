//! Reads the first value of JSON that is cut off, too deeply nested, or followed by other text.

use serde_json::Value;

/// Maximum depth that is read; serde_json supports 128.
const DEPTH_MAX: usize = 100;
/// Maximum depth at which positions are remembered to return to.
const RETURN_DEPTH_MAX: usize = 6;

/// Reads the first value of a text that is almost JSON. `None` if there is none.
pub(super) fn first_value(text: &str) -> Option<Value> {
    if !text.starts_with(['{', '[', '"']) {
        return None;
    }
    if let Some(Ok(value)) = serde_json::Deserializer::from_str(text).into_iter::<Value>().next() {
        return Some(value);
    }
    let mut repair = Repair::default();
    repair.read(text);
    repair.value()
}

#[derive(Default)]
struct Repair {
    out: String,
    in_text: bool,
    /// The closing brackets of the open containers.
    open: Vec<char>,
    /// The last position after a complete member: the length of `out`, and the containers that were open.
    whole: Option<(usize, Vec<char>)>,
}

impl Repair {
    fn read(&mut self, text: &str) {
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            if self.in_text {
                match char {
                    '\\' => {
                        if !self.escape(&mut rest) {
                            return;
                        }
                    }
                    '"' => {
                        self.in_text = false;
                        self.out.push('"');
                    }
                    // A line break that was not escaped.
                    _ if char.is_ascii_control() => self.out.push(' '),
                    _ => self.out.push(char),
                }
                continue;
            }
            match char {
                '{' | '[' => {
                    if self.open.len() == DEPTH_MAX {
                        return;
                    }
                    self.out.push(char);
                    self.open.push(if char == '{' { '}' } else { ']' });
                    self.note();
                }
                '}' | ']' => {
                    if self.open.pop() != Some(char) {
                        return;
                    }
                    self.out.push(char);
                    if self.open.is_empty() {
                        return;
                    }
                }
                ',' => {
                    self.note();
                    self.out.push(',');
                }
                _ => {
                    self.in_text = char == '"';
                    self.out.push(char);
                }
            }
        }
    }

    fn note(&mut self) {
        if self.open.len() <= RETURN_DEPTH_MAX {
            self.whole = Some((self.out.len(), self.open.clone()));
        }
    }

    /// Reads the rest of an escape. Returns false if the text ends inside it.
    fn escape(&mut self, rest: &mut std::str::Chars<'_>) -> bool {
        match rest.next() {
            None => return false,
            Some('u') => {
                let Some(first) = unit(rest) else { return false };
                let mut ahead = rest.clone();
                let paired =
                    (0xD800..=0xDBFF).contains(&first) && ahead.next() == Some('\\') && ahead.next() == Some('u');
                let second = if paired { unit(&mut ahead) } else { None };
                let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
                if pair.is_some() {
                    *rest = ahead;
                }
                let char = pair.or_else(|| char::from_u32(u32::from(first))).unwrap_or(char::REPLACEMENT_CHARACTER);
                self.push_escaped(char);
            }
            Some(char @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => self.out.extend(['\\', char]),
            // Not a valid JSON escape, so the backslash is kept literally.
            Some(char) => {
                self.out.push_str("\\\\");
                self.out.push(char);
            }
        }
        true
    }

    fn push_escaped(&mut self, char: char) {
        match char {
            '"' | '\\' => self.out.extend(['\\', char]),
            _ if char.is_ascii_control() => self.out.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => self.out.push(char),
        }
    }

    /// Returns everything that was read, with its open containers closed; if that is not valid, everything up to the
    /// last complete member.
    fn value(mut self) -> Option<Value> {
        let kept = self.whole.take().map(|(len, open)| (self.out.get(..len).unwrap_or_default().to_owned(), open));
        if self.in_text {
            self.out.push('"');
        }
        let close = |mut text: String, open: &[char]| {
            text.extend(open.iter().rev());
            serde_json::from_str(&text).ok()
        };
        close(self.out, &self.open).or_else(|| kept.and_then(|(text, open)| close(text, &open)))
    }
}

/// Reads four hexadecimal digits.
fn unit(rest: &mut std::str::Chars<'_>) -> Option<u16> {
    let digits = rest.as_str().get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    *rest = rest.as_str().get(4..)?.chars();
    Some(unit)
}
