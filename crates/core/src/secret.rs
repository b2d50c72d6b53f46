//! The API key, which is kept out of every text, including texts from the server.

use std::borrow::Cow;

use secrecy::{ExposeSecret, SecretString};

use serde_json::Value;

use crate::error::Error;
use crate::text::{self, is_quote};

/// Replaces the key where a server repeated it.
const REDACTED: &str = "<redacted>";
/// Minimum length of a key that is redacted. A shorter one is a placeholder and could be part of ordinary words.
const REDACT_FROM: usize = 8;

/// An API key that is valid in a header.
#[derive(Clone)]
pub(crate) struct ApiKey(SecretString);

impl ApiKey {
    /// Validates a key and removes white space around it. `source` says where it came from.
    pub(crate) fn new(key: &str, source: &str) -> Result<Self, Error> {
        let key = key.trim();
        if key.is_empty() {
            return Err(Error::config(format!("the API key from {source} is empty")));
        }
        match flaw(key) {
            Some(flaw) => Err(Error::config(format!("the API key from {source} {flaw}"))),
            None => Ok(Self(SecretString::from(key))),
        }
    }

    /// Returns `text`, which came from a server, with the key redacted.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let key = self.0.expose_secret();
        if key.len() >= REDACT_FROM && text.contains(key) {
            Cow::Owned(text.replace(key, REDACTED))
        } else {
            Cow::Borrowed(text)
        }
    }

    /// Redacts the key in bytes that arrive in pieces, like [`ApiKey::redact`]. Unless `ends` is true, the last bytes
    /// stay in `text`, because they may be the beginning of the key.
    pub(crate) fn redact_stream(&self, text: &mut Vec<u8>, ends: bool) -> Vec<u8> {
        let key = self.0.expose_secret().as_bytes();
        if key.len() < REDACT_FROM {
            return std::mem::take(text);
        }
        let mut clean = Vec::with_capacity(text.len());
        let mut from = 0;
        for at in memchr::memmem::find_iter(text, key) {
            clean.extend_from_slice(text.get(from..at).unwrap_or_default());
            clean.extend_from_slice(REDACTED.as_bytes());
            from = at + key.len();
        }
        let held = if ends { 0 } else { key.len() - 1 };
        let end = text.len().saturating_sub(held).max(from);
        clean.extend_from_slice(text.get(from..end).unwrap_or_default());
        text.drain(..end);
        clean
    }

    /// Redacts like [`ApiKey::redact`], and also a key that is interspersed with white space, invisible characters or
    /// escapes (of JSON, HTML, URLs), and one that is cut off at the end of the text.
    pub(crate) fn redact_spread(&self, text: &str) -> String {
        let text = self.redact(text).into_owned();
        let key = self.0.expose_secret();
        if key.len() < REDACT_FROM {
            return text;
        }
        let letters = Letters::of(&text);
        let (mut out, mut copied, mut at) = (String::new(), 0, 0);
        while let Some(rest) = letters.0.get(at..).filter(|rest| !rest.is_empty()) {
            let same = rest.iter().zip(key.chars()).take_while(|(letter, char)| letter.char == *char).count();
            let is_cut = same == rest.len() && same >= REDACT_FROM;
            match (rest.first(), rest.get(same.wrapping_sub(1))) {
                (Some(first), Some(last)) if same == key.len() || is_cut => {
                    out.push_str(text.get(copied..first.start).unwrap_or_default());
                    out.push_str(REDACTED);
                    copied = last.end;
                    at += same;
                }
                _ => at += 1,
            }
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        out
    }

    /// Redacts every string in a JSON value like [`ApiKey::redact`].
    pub(crate) fn redact_json(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.redact(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            Value::Object(members) => {
                let named: Vec<_> =
                    members.keys().filter(|name| matches!(self.redact(name), Cow::Owned(_))).cloned().collect();
                for name in named {
                    if let Some(value) = members.remove(&name) {
                        members.insert(self.redact(&name).into_owned(), value);
                    }
                }
                members.values_mut().for_each(|value| self.redact_json(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Returns the value of the `Authorization` header.
    pub(crate) fn authorization(&self) -> SecretString {
        SecretString::from(format!("Bearer {}", self.0.expose_secret()))
    }
}

/// The visible characters of a text, with escapes decoded and with their positions.
struct Letters(Vec<Letter>);

struct Letter {
    start: usize,
    end: usize,
    char: char,
}

impl Letters {
    fn of(text: &str) -> Self {
        let mut letters = Vec::with_capacity(text.len());
        let mut start = 0;
        while let Some(rest) = text.get(start..)
            && let Some(plain) = rest.chars().next()
        {
            let (char, length) = escaped(rest).unwrap_or((plain, plain.len_utf8()));
            let end = start + length;
            if !char.is_whitespace() && !text::is_unprintable(char) {
                letters.push(Letter { start, end, char });
            }
            start = end;
        }
        Self(letters)
    }
}

/// Returns the printable ASCII character that an escape at the beginning of `text` stands for, and the length of the
/// escape.
fn escaped(text: &str) -> Option<(char, usize)> {
    let number = |digits: &str, radix, length| {
        let char = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
        (char.is_ascii_graphic()).then_some((char, length))
    };
    if let Some(after) = text.strip_prefix("\\u") {
        return number(after.get(..4)?, 16, 6);
    }
    if let Some(after) = text.strip_prefix("\\x") {
        return number(after.get(..2)?, 16, 4);
    }
    if let Some(after) = text.strip_prefix('%') {
        return number(after.get(..2)?, 16, 3);
    }
    if let Some(after) = text.strip_prefix("&#") {
        let end = after.find(';').filter(|end| *end <= 8)?;
        let digits = after.get(..end)?;
        return match digits.strip_prefix(['x', 'X']) {
            Some(digits) => number(digits, 16, end + 3),
            None => number(digits, 10, end + 3),
        };
    }
    text.strip_prefix('\\')
        .and_then(|after| after.chars().next())
        .filter(char::is_ascii_punctuation)
        .map(|char| (char, 2))
}

/// Returns why a pasted key is invalid and how to correct it, without any part of the key.
fn flaw(key: &str) -> Option<&'static str> {
    let begins = |with: &str| key.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let assigned = |name: &str| {
        let name = name.rsplit(' ').next().unwrap_or(name).trim_start_matches("$env:").to_ascii_lowercase();
        name.chars().all(is_word) && (name.ends_with("key") || name.ends_with("token"))
    };
    let flaw = if key.starts_with(is_quote) || key.ends_with(is_quote) {
        "has quotes around it; leave them out"
    } else if begins("authorization:") || begins("bearer ") {
        "is a whole header; give the key alone, without \"Authorization\" and \"Bearer\""
    } else if key
        .split_once('=')
        .is_some_and(|(name, rest)| assigned(name.trim_end()) && !rest.trim_matches('=').is_empty())
    {
        "begins with a variable's name and =; give what stands behind it"
    } else if key.starts_with('$') || key.len() > 2 && key.starts_with('%') && key.ends_with('%') {
        "is the name of a variable, and not its value"
    } else if key.starts_with('<') && key.ends_with('>') {
        "is a placeholder; put a key in its place"
    } else if key.contains(['\n', '\r']) {
        "holds a line break; copy it again, on one line"
    } else if key.contains(char::is_whitespace) {
        "holds a blank; copy it again"
    } else if key.chars().any(crate::text::is_unprintable) {
        "holds an invisible character, as copying from a web page leaves behind; type around it, or copy it elsewhere"
    } else if !key.is_ascii() {
        "holds a character that no HTTP header can carry; copy it again"
    } else {
        return None;
    };
    Some(flaw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_as_people_paste_it_is_refused_with_the_reason() {
        for (key, reason) in [
            ("", "empty"),
            (" \n", "empty"),
            ("\"sk-canary\"", "quotes"),
            ("'sk-canary'", "quotes"),
            ("“sk-canary”", "quotes"),
            ("sk-canary\"", "quotes"),
            ("`sk-canary`", "quotes"),
            ("Bearer sk-canary", "header"),
            ("bearer  sk-canary", "header"),
            ("Authorization: Bearer sk-canary", "header"),
            ("authorization:sk-canary", "header"),
            ("AIMLAPI_KEY=sk-canary", "variable's name"),
            ("AIMLAPI_KEY = sk-canary", "variable's name"),
            ("export AIML_API_KEY=sk-canary", "variable's name"),
            ("$env:AIMLAPI_KEY=sk-canary", "variable's name"),
            ("api_key=sk-canary", "variable's name"),
            ("ACCESS_TOKEN=sk-canary", "variable's name"),
            ("$AIMLAPI_KEY", "name of a variable"),
            ("${AIMLAPI_KEY}", "name of a variable"),
            ("%AIMLAPI_KEY%", "name of a variable"),
            ("<YOUR_CANARY_KEY>", "placeholder"),
            ("sk-\ncanary", "line break"),
            ("sk-canary\r\nX-Injected: 1", "line break"),
            ("sk- canary", "blank"),
            ("sk-\u{a0}canary", "blank"),
            ("sk-\u{200b}canary", "invisible"),
            ("\u{feff}sk-canary", "invisible"),
            ("sk-canary\u{200b}", "invisible"),
            ("sk-canary\u{0}", "invisible"),
            ("sk-canary…", "no HTTP header"),
            ("sk-canaryé", "no HTTP header"),
        ] {
            let error = ApiKey::new(key, "AIMLAPI_KEY").err().unwrap_or_else(|| panic!("{key:?} is taken"));
            let message = error.message();
            assert!(message.contains(reason) && message.contains("from AIMLAPI_KEY"), "{key:?}: {message}");
            assert!(!message.to_lowercase().contains("canary"), "{message}");
        }
        for key in ["sk-canary", " sk-canary\n", "k", "ab=cd==", "a:b", "sk-$1", "eyJh.bG-c_i="] {
            assert!(ApiKey::new(key, "AIMLAPI_KEY").is_ok(), "{key:?}");
        }
    }
}
