//! The fields of a request, as they were sent.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Number, Value};

/// Maps a request's field names to their values; files are not included.
pub(crate) type Fields = HashMap<String, Field>;

/// The fields that the API knows, as text.
pub(crate) type Texts = BTreeMap<&'static str, String>;

/// The value of a field as it was sent.
#[derive(Debug)]
pub(crate) enum Field {
    Json(Value),
    Text(String),
}

/// Returns a field's value as text, which is what core's rules take, or a message about its type. Forms only hold
/// text; JSON also holds numbers.
pub(crate) fn text(field: &Field, integer: bool) -> Result<String, String> {
    match field {
        Field::Text(text) => Ok(text.clone()),
        Field::Json(Value::String(text)) if !integer => Ok(text.clone()),
        Field::Json(Value::Number(number)) if integer => Ok(number_text(number)),
        Field::Json(other) => {
            let expected = if integer { "a whole number" } else { "text" };
            Err(format!("Invalid type: expected {expected}, received {}.", kind(other)))
        }
    }
}

/// Formats a number for core's rules. 1 and 1.0 are the same number in JSON.
fn number_text(number: &Number) -> String {
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15);
    float.map_or_else(|| number.to_string(), |float| (float as i64).to_string())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
