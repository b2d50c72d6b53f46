//! What the body of an error answer says, in whichever of its forms.

use serde_json::Value;

use crate::secret::ApiKey;
use crate::text;

/// Longest error body that is read, in bytes.
pub(crate) const ERROR_BODY_MAX: usize = 64 * 1024;
/// Most issues of a list that are repeated to people.
const ISSUES_MAX: usize = 8;
/// Longest message that is repeated to people, in characters.
const MESSAGE_MAX: usize = 500;

/// An error answer, understood as far as possible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    /// The server's words: bounded, printable, on one line.
    pub(crate) message: Option<String>,
    /// Whether the body is in the vendor's own form, and not a proxy's page or an upstream's answer.
    pub(crate) vendor_envelope: bool,
    pub(crate) moderation: bool,
    pub(crate) out_of_credits: bool,
    pub(crate) request_id: Option<String>,
}

impl ErrorBody {
    /// Reads any body. Whatever is not JSON, or too deep, says nothing.
    pub(crate) fn parse(body: &[u8], key: &ApiKey) -> Self {
        let Ok(mut body @ Value::Object(_)) = serde_json::from_slice::<Value>(body) else {
            return Self::default();
        };
        key.redact_json(&mut body);
        Self::read(&body)
    }

    /// Reads a JSON object.
    pub(crate) fn read(body: &Value) -> Self {
        let get = |name: &str| body.get(name).filter(|value| !value.is_null());
        let error = get("error");
        let inner = |name: &str| error.and_then(|error| error.get(name));
        let data = inner("data");

        let mut words = Vec::new();
        let mut say = |value: Option<&Value>| {
            let lines: Vec<&str> = match value {
                Some(Value::String(line)) => vec![line],
                Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).take(ISSUES_MAX).collect(),
                _ => vec![],
            };
            for line in lines {
                if !line.trim().is_empty() && !words.iter().any(|said| said == line) {
                    words.push(line.to_owned());
                }
            }
        };
        // An issue of `error.data` is worth more than the title above it, but the title comes first to the eye.
        say(get("message"));
        say(inner("message"));
        if words_are_missing(get("message"), inner("message")) {
            say(get("detail"));
            say(get("title"));
            say(error);
        }
        for issue in data.and_then(Value::as_array).into_iter().flatten().take(ISSUES_MAX) {
            say(Some(&Value::String(describe_issue(issue))));
        }
        let message = words.join(": ");

        // Codes are compared, words are searched: vendors change the latter.
        let codes: Vec<&str> =
            [inner("code"), inner("type"), inner("name"), get("code"), data.and_then(|d| d.get("kind"))]
                .into_iter()
                .chain(data.and_then(Value::as_array).into_iter().flatten().map(|issue| issue.get("code")))
                .flatten()
                .filter_map(Value::as_str)
                .collect();
        let lower = message.to_lowercase();
        let says = |texts: &[&str]| texts.iter().any(|text| lower.contains(text));
        Self {
            moderation: codes.contains(&"moderation_blocked")
                || says(&["safety system", "content policy", "moderation_blocked"]),
            out_of_credits: codes.contains(&"err_insufficent_credits")
                || says(&["run out of credits", "run out of funds", "insufficient credits", "insufficient funds"]),
            vendor_envelope: get("requestId").is_some_and(Value::is_string)
                || get("statusCode").is_some()
                || (get("title").is_some() && get("status").is_some()),
            request_id: get("requestId").and_then(Value::as_str).map(|id| text::shorten(id, 128)),
            message: (!message.is_empty()).then(|| text::shorten(&message, MESSAGE_MAX)),
        }
    }
}

fn words_are_missing(outer: Option<&Value>, inner: Option<&Value>) -> bool {
    outer.is_none() && inner.is_none()
}

/// `path.0.name: message` of one entry of a list of issues.
fn describe_issue(issue: &Value) -> String {
    let path: Vec<String> = issue
        .get("path")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(ISSUES_MAX)
        .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
        .collect();
    let message = issue.get("message").and_then(Value::as_str).unwrap_or_default();
    match (path.is_empty(), message.is_empty()) {
        (true, _) => message.to_owned(),
        (false, true) => path.join("."),
        (false, false) => format!("{}: {message}", path.join(".")),
    }
}
