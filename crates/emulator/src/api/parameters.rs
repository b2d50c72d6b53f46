//! The text and number parameters, judged by the rules of the one model that the gateway has.

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use gptimage_model::ImageFormat;
use gptimage_model::rules::GPT_IMAGE_2;
use serde_json::Value;

use super::refusal::{self, Refusal};
use crate::Operation;
use crate::fault::Issue;

/// A request's fields by name, the files left out.
pub(crate) type Fields = HashMap<String, Field>;

/// A field as it travelled.
#[derive(Debug)]
pub(crate) enum Field {
    Json(Value),
    Text(String),
}

/// What a valid request asks for, the server's defaults filled in.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    pub(crate) model: String,
    pub(crate) prompt: String,
    /// Width and height.
    pub(crate) size: (u32, u32),
    pub(crate) quality: String,
    pub(crate) format: ImageFormat,
    pub(crate) transparent: bool,
    /// In percent; 100 is the best.
    pub(crate) compression: u8,
    /// Pictures in the answer, in place of addresses.
    pub(crate) inline: bool,
    pub(crate) n: u32,
}

/// Judges the fields. What is wrong goes to `issues`, and the result is then not to be used; only a model that does not
/// exist is answered at once.
pub(crate) fn judge(operation: Operation, fields: &Fields, issues: &mut Vec<Issue>) -> Result<Parameters, Refusal> {
    let rules = &GPT_IMAGE_2;
    let mut judge = Judge { fields, issues };
    let model = judge.required_text("model").unwrap_or_default();
    if !model.is_empty() && !rules.models.contains(&model.as_str()) {
        return Err(refusal::unknown_model(&model));
    }
    let prompt = judge.required_text("prompt").unwrap_or_default();
    let chars = prompt.chars().count();
    if chars > rules.prompt_max_chars {
        let message = format!("Too long: {chars} characters, expected at most {}.", rules.prompt_max_chars);
        judge.found("too_big", "prompt", message);
    }
    let size = judge.one_of("size", rules.sizes).unwrap_or_else(|| "1024x1024".to_owned());
    let quality = judge.one_of("quality", rules.qualities).unwrap_or_else(|| "medium".to_owned());
    let format = judge.one_of("output_format", rules.output_formats);
    let background = judge.one_of("background", rules.backgrounds);
    if operation == Operation::Generate {
        judge.one_of("moderation", rules.moderations);
    }
    let inline = judge.one_of("response_format", rules.response_formats).is_some_and(|value| value == "b64_json");
    let n = judge.within("n", rules.n(operation)).unwrap_or(1);
    let compression = judge.within("output_compression", &rules.output_compression);
    let format = match format.as_deref() {
        Some("jpeg") => ImageFormat::Jpeg,
        Some("webp") => ImageFormat::Webp,
        _ => ImageFormat::Png,
    };
    let transparent = background.as_deref() == Some("transparent");
    if transparent && format == ImageFormat::Jpeg {
        judge.found("custom", "background", "A transparent background needs output_format png or webp.".to_owned());
    }
    let best = *rules.output_compression.end();
    if format == ImageFormat::Png && compression.is_some_and(|compression| compression < best) {
        let message = format!("Compression below {best} is for output_format jpeg and webp only.");
        judge.found("custom", "output_compression", message);
    }
    Ok(Parameters {
        model,
        prompt,
        size: dimensions(&size),
        quality,
        format,
        transparent,
        compression: compression.and_then(|value| u8::try_from(value).ok()).unwrap_or(100),
        inline,
        n: u32::try_from(n).unwrap_or(1),
    })
}

/// Judges single fields.
struct Judge<'a> {
    fields: &'a Fields,
    issues: &'a mut Vec<Issue>,
}

impl Judge<'_> {
    fn found(&mut self, code: &str, field: &str, message: String) {
        self.issues.push(Issue::new(code, field, message));
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Field::Text(text) | Field::Json(Value::String(text)) => Some(text.clone()),
            Field::Json(other) => {
                let message = format!("Invalid type: expected text, received {}.", kind(other));
                self.found("invalid_type", name, message);
                None
            }
        }
    }

    fn required_text(&mut self, name: &str) -> Option<String> {
        if !self.fields.contains_key(name) {
            self.found("invalid_type", name, "Required.".to_owned());
        }
        let text = self.text(name)?;
        if text.is_empty() {
            self.found("too_small", name, "Too short: expected at least 1 character.".to_owned());
        }
        Some(text)
    }

    fn one_of<T: Display>(&mut self, name: &str, allowed: &[T]) -> Option<String> {
        let given = self.text(name)?;
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        if allowed.contains(&given) {
            return Some(given);
        }
        let message = format!("Invalid value {given:?}: expected one of {}.", allowed.join(", "));
        self.found("invalid_value", name, message);
        None
    }

    /// A whole number in a range; as text only where the wire has nothing else.
    fn within(&mut self, name: &str, range: &RangeInclusive<i64>) -> Option<i64> {
        let number = match self.fields.get(name)? {
            Field::Text(text) => text.parse().ok(),
            Field::Json(Value::Number(number)) => whole(number),
            Field::Json(_) => None,
        };
        match number {
            Some(number) if range.contains(&number) => return Some(number),
            Some(number) => {
                let code = if number > *range.end() { "too_big" } else { "too_small" };
                let message = format!("Out of range: {number}, expected {} to {}.", range.start(), range.end());
                self.found(code, name, message);
            }
            None => self.found("invalid_type", name, "Invalid type: expected a whole number.".to_owned()),
        }
        None
    }
}

/// 1 and 1.0 are the same number in JSON.
fn whole(number: &serde_json::Number) -> Option<i64> {
    if let Some(whole) = number.as_i64() {
        return Some(whole);
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e15)?;
    Some(float as i64)
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

/// `1024x1536` as numbers.
fn dimensions(size: &str) -> (u32, u32) {
    let sides = size.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.unwrap_or((1024, 1024))
}
