//! The fields of a request, as they travelled.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Number, Value};

/// A request's fields by name, the files left out.
pub(crate) type Fields = HashMap<String, Field>;

/// The fields that the API knows, as text.
pub(crate) type Texts = BTreeMap<&'static str, String>;

/// A field as it travelled.
#[derive(Debug)]
pub(crate) enum Field {
    Json(Value),
    Text(String),
}

/// A field's value as core's rules take it, or what is wrong with its type: a form has texts alone, JSON has numbers too.
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

/// A number's digits; 1 and 1.0 are the same number in JSON.
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
