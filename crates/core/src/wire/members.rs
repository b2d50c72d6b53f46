//! JSON objects whose values keep their own text: a number that was parsed may have lost digits.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// The members of a JSON object as their own text.
pub(super) fn members(text: &str) -> Option<HashMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}
