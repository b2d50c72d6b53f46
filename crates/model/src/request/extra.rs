//! Fields that this crate does not know, kept as JSON text so that no digit is lost.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Error, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// The value of an extra field, as sent: JSON without white space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraValue {
    json: String,
    broken: Option<String>,
}

impl ExtraValue {
    /// Converts a JSON value.
    pub fn of(value: &Value) -> Self {
        Self { json: value.to_string(), broken: None }
    }

    /// Parses JSON text and keeps its numbers as written. Text that is not JSON is kept too; the rules reject it.
    pub fn parse(json: &str) -> Self {
        match serde_json::from_str::<Value>(json) {
            Ok(_) => Self { json: without_white_space(json), broken: None },
            Err(error) => Self { json: json.to_owned(), broken: Some(error.to_string()) },
        }
    }

    /// Returns why the value is not JSON that can be sent, or `None` if it is.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Returns the value as JSON.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the value as a form field: the content of a JSON string, or the JSON of any other value.
    pub fn form(&self) -> Cow<'_, str> {
        match serde_json::from_str::<String>(&self.json) {
            Ok(text) => Cow::from(text),
            Err(_) => Cow::from(&self.json),
        }
    }
}

impl fmt::Display for ExtraValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.json)
    }
}

impl Serialize for ExtraValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.json).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// Removes the white space between the tokens of valid JSON.
fn without_white_space(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let kept = |char: &char| {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' | '\t' | '\r' | '\n' => return quoted,
            _ => {}
        }
        true
    };
    json.chars().filter(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::ExtraValue;

    fn sent(json: &str) -> String {
        let value = ExtraValue::parse(json);
        assert_eq!(value.broken(), None, "{json}");
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn numbers_travel_as_they_are_written() {
        for number in [
            "1180591620717411303425",
            "-1180591620717411303425",
            "18446744073709551617",
            "0.1000000000000000055511151231257827",
            "0.30000000000000004",
            "1E5",
            "1.0",
            "-0",
            "123456789012345678901234567890.123456789012345678901234567890",
        ] {
            assert_eq!(sent(number), number);
            assert_eq!(sent(&format!("[{number}, {{ \"a\" : {number} }}]")), format!("[{number},{{\"a\":{number}}}]"));
        }
    }

    #[test]
    fn white_space_goes_where_it_means_nothing() {
        assert_eq!(sent(" { \"a b\" :\t[ 1 ,\r\n\"c \\\" d\\\\\" ] } "), "{\"a b\":[1,\"c \\\" d\\\\\"]}");
    }

    #[test]
    fn what_is_not_json_is_told() {
        for broken in ["", "text", "1e999", "{", "\"\\ud800\"", "NaN", "[1,]"] {
            assert!(ExtraValue::parse(broken).broken().is_some(), "{broken}");
        }
    }

    #[test]
    fn in_a_form_a_text_is_what_it_says() {
        assert_eq!(ExtraValue::parse("\"a\\n\\u00e9\"").form(), "a\né");
        assert_eq!(ExtraValue::parse("[ 1.50 ]").form(), "[1.50]");
    }
}
