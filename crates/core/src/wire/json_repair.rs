//! The first value of JSON that is cut short, too deep, or followed by something else.

use serde_json::Value;

/// Deeper containers are left out: serde_json reads 128.
const DEPTH_MAX: usize = 100;
/// Places to return to are kept so deep.
const RETURN_DEPTH_MAX: usize = 6;

/// Reads the first value of a text that is nearly JSON; `None` if there is none.
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
    /// The closing brackets of the containers that are open.
    open: Vec<char>,
    /// The last place behind a whole member: its length in `out`, and the containers that were open there.
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
                    // A line break that should have been escaped.
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

    /// Takes what follows a backslash. `false`: the text ends in it.
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
            // No escape that JSON has: it stands for itself.
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

    /// All that was read, closed where it was open; else what was whole.
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

/// Four hexadecimal digits.
fn unit(rest: &mut std::str::Chars<'_>) -> Option<u16> {
    let digits = rest.as_str().get(..4)?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    *rest = rest.as_str().get(4..)?.chars();
    Some(unit)
}
