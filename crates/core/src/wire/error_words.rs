//! Extracts messages and codes from a JSON error, under any of the names that gateways use.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::error_page;
use crate::secret::ApiKey;

/// Maximum number of entries of a list that are shown.
const ENTRIES_MAX: usize = 8;
/// Maximum number of messages that are collected from one body, and depth of the search: the result is one line.
const WORDS_MAX: usize = 12;
const DEPTH_MAX: usize = 8;
/// Maximum number of values that are visited in one body.
const VISITS_MAX: usize = 512;
/// Maximum length of a text that is read, in bytes.
const TEXT_MAX: usize = 8 * 1024;

/// Names of members that hold a sentence.
///
/// All names here are in lower case without punctuation, and so are the keys when they are compared: `error_msg` equals
/// `errorMsg`.
const SENTENCES: &[&str] = &[
    "message",
    "msg",
    "errormessage",
    "errormsg",
    "errmessage",
    "errmsg",
    "statusmessage",
    "statusmsg",
    "errordescription",
    "faultstring",
];
/// Names of members that hold objects or lists with further messages.
const CONTAINERS: &[&str] = &[
    "error",
    "errors",
    "err",
    "fault",
    "exception",
    "baseresp",
    "detail",
    "details",
    "data",
    "metadata",
    "raw",
    "innererror",
    "issues",
    "violations",
    "fieldviolations",
    "validationerrors",
    "invalidparams",
];
/// Names of members whose sentence is used if no other was found. These two belong together.
const TITLES: &[&str] = &["title", "detail"];
const OTHERS: &[&str] = &[
    "details",
    "reason",
    "description",
    "err",
    "error",
    "errors",
    "fault",
    "exception",
    "failurereason",
    "failreason",
    "statustext",
    "hint",
    "info",
    "cause",
    "data",
];
/// Names of members that hold a code.
const CODES: &[&str] = &["code", "errorcode", "errcode", "type", "errortype", "name", "kind", "status", "reason"];
/// Names of members that say where the fault is.
const PLACES: &[&str] = &["path", "loc", "location", "field", "param", "parameter", "property", "name", "pointer"];
/// Names of objects whose keys may be the names of faulty fields.
const BY_FIELD: &[&str] = &["errors", "detail", "details", "validationerrors"];

/// The sentences and codes found so far, each on one line and with the key redacted.
pub(super) struct Words<'k> {
    key: &'k ApiKey,
    words: Vec<String>,
    codes: Vec<String>,
    visits: usize,
}

impl<'k> Words<'k> {
    pub(super) fn new(key: &'k ApiKey) -> Self {
        Self { key, words: Vec::new(), codes: Vec::new(), visits: 0 }
    }

    /// Returns all sentences, joined. `None` if none was found.
    pub(super) fn joined(&self) -> Option<String> {
        (!self.words.is_empty()).then(|| self.key.redact_spread(&self.words.join(": ")))
    }

    /// Returns the codes, in lower case without punctuation.
    pub(super) fn codes(&self) -> &[String] {
        &self.codes
    }

    /// Adds a sentence, unless it is already contained in another.
    pub(super) fn add(&mut self, sentence: &str) {
        let line = one_line(sentence);
        if line.is_empty() || self.words.len() >= WORDS_MAX {
            return;
        }
        // Any sentence may end where the response was cut, inside the key.
        let line = self.key.redact_spread(&line);
        if !self.words.iter().any(|said| said.contains(&line)) {
            self.words.push(line);
        }
    }

    /// Reads a whole body.
    pub(super) fn read(&mut self, body: &Value) {
        self.value(body, 0);
        if !self.words.is_empty() {
            return;
        }
        // No known name was found. A code is better than nothing, and so is the body itself.
        if let Some(body) = body.as_object() {
            let code = CODES.iter().find_map(|name| get(body, name).and_then(Value::as_str));
            if let Some(code) = code {
                self.add(code);
            }
        }
        let is_empty = |value: &Value| match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        };
        let says_something = match body {
            Value::Object(members) => members.values().any(|value| !is_empty(value)),
            Value::Array(items) => items.iter().any(|item| !is_empty(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        };
        if self.words.is_empty() && says_something {
            self.add(&body.to_string());
        }
    }

    fn value(&mut self, value: &Value, depth: usize) {
        self.visits += 1;
        if depth > DEPTH_MAX || self.visits > VISITS_MAX {
            return;
        }
        match value {
            Value::String(text) => self.text(text, depth),
            Value::Array(items) => {
                for item in items.iter().take(ENTRIES_MAX) {
                    match item {
                        Value::Object(issue) => self.issue(issue, depth + 1),
                        other => self.value(other, depth + 1),
                    }
                }
            }
            Value::Object(members) => self.object(members, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Reads a text, which may contain the response of an upstream server.
    fn text(&mut self, text: &str, depth: usize) {
        let trimmed = text.trim();
        if trimmed.starts_with(['{', '['])
            && let Ok(inner) = serde_json::from_str::<Value>(trimmed)
        {
            let said = self.words.len();
            self.value(&inner, depth + 1);
            if self.words.len() > said {
                return;
            }
        }
        // A sentence may begin with a word in angle brackets.
        match error_page::read(trimmed).filter(|page| page.is_html || trimmed.starts_with("<?xml")) {
            Some(page) => page.said.iter().for_each(|line| self.add(line)),
            None => self.add(trimmed),
        }
    }

    fn object(&mut self, members: &Map<String, Value>, depth: usize) {
        self.collect_codes(members);
        let said = self.words.len();
        for value in SENTENCES.iter().filter_map(|name| get(members, name)) {
            self.value(value, depth + 1);
        }
        for name in CONTAINERS {
            match get(members, name) {
                Some(value @ Value::Array(_)) => self.value(value, depth + 1),
                Some(Value::Object(inner)) => self.container(name, inner, depth + 1),
                Some(value @ Value::String(text)) if text.trim_start().starts_with(['{', '[']) => {
                    self.value(value, depth + 1);
                }
                _ => {}
            }
        }
        if self.words.len() == said {
            for value in TITLES.iter().filter_map(|name| get(members, name)) {
                self.value(value, depth + 1);
            }
        }
        for value in OTHERS.iter().filter_map(|name| get(members, name)) {
            if self.words.len() > said {
                break;
            }
            self.value(value, depth + 1);
        }
    }

    fn container(&mut self, name: &str, members: &Map<String, Value>, depth: usize) {
        let said = self.words.len();
        self.object(members, depth);
        if self.words.len() > said || !BY_FIELD.contains(&name) {
            return;
        }
        let fields = members.iter().filter(|(field, _)| !CODES.contains(&&*plain(field)));
        for (field, value) in fields.take(ENTRIES_MAX) {
            let mut inner = Words::new(self.key);
            inner.value(value, depth + 1);
            if let Some(what) = inner.joined() {
                self.add(&format!("{field}: {what}"));
            }
        }
    }

    /// Reads one entry of a list of issues, as `path.0.name: message`.
    fn issue(&mut self, issue: &Map<String, Value>, depth: usize) {
        let mut inner = Words::new(self.key);
        inner.visits = self.visits;
        inner.object(issue, depth);
        self.visits = inner.visits;
        let place = PLACES.iter().find_map(|name| get(issue, name)).or_else(|| get(issue, "source")).map(place);
        let line = match (place.filter(|place| !place.is_empty()), inner.joined()) {
            (Some(place), Some(what)) if !what.starts_with(&place) => format!("{place}: {what}"),
            (_, Some(what)) => what,
            (Some(place), None) => place,
            (None, None) => String::new(),
        };
        self.codes.append(&mut inner.codes);
        self.add(&line);
    }

    fn collect_codes(&mut self, members: &Map<String, Value>) {
        let mut found: Vec<_> =
            CODES.iter().filter_map(|name| get(members, name)?.as_str()).filter(|code| code.len() <= 64).collect();
        // `{"error": "insufficient_quota"}`
        let error = get(members, "error").and_then(Value::as_str);
        found.extend(error.filter(|code| code.len() <= 64 && !code.contains(' ')));
        self.codes.extend(found.into_iter().map(|code| plain(code).into_owned()));
    }
}

/// Returns the text with each run of white space, including line breaks, replaced by one space.
fn one_line(text: &str) -> String {
    let end = (0..=TEXT_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let words: Vec<&str> = text.get(..end).unwrap_or_default().split_whitespace().collect();
    words.join(" ")
}

fn get<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let exact = members.get(name);
    exact
        .or_else(|| members.iter().find(|(key, _)| plain(key) == name).map(|(_, value)| value))
        .filter(|v| !v.is_null())
}

/// Returns the text in lower case, without punctuation.
fn plain(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return Cow::Borrowed(text);
    }
    text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns the location of an issue as one word.
fn place(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(steps) => {
            let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
            steps.iter().take(ENTRIES_MAX).map(step).collect::<Vec<_>>().join(".")
        }
        Value::Object(members) => {
            let pointer = ["pointer", "parameter"].iter().find_map(|name| members.get(*name)?.as_str());
            pointer.unwrap_or_default().to_owned()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}
