//! JSON objects whose values keep their original text, because parsing a number may lose digits.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// Returns the members of a JSON object, with each value as its original text.
pub(super) fn members(text: &str) -> Option<HashMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}
