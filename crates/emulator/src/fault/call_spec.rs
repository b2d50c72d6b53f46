//! The JSON form of faults of paid calls.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use hyper::header::{HeaderName, HeaderValue};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::content::Content;
use super::spec::{CutSpec, PauseSpec, RawSpec, Status, Times};
use super::{Early, ErrorBody, ErrorForm, Fault};
use crate::duration::DurationText;

/// The JSON form of a [`Fault`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object such as {\"delay\": \"2s\"}")]
pub(crate) struct CallFaultSpec {
    answer: Option<AnswerSpec>,
    success_body: Option<Content>,
    raw: Option<RawSpec>,
    cut_request: Option<CutSpec>,
    cut_response: Option<CutSpec>,
    delay: Option<DurationText>,
    #[serde(default)]
    pauses: Vec<PauseSpec>,
    charged: Option<bool>,
    on_call: Option<NonZeroU64>,
    on_client_request_id: Option<String>,
    #[serde(default)]
    times: Times,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object such as {\"status\": 503, \"body\": \"html\"}")]
struct AnswerSpec {
    status: Status,
    body: Option<BodySpec>,
    raw_body: Option<RawBodySpec>,
    #[serde(default)]
    headers: HeadersSpec,
    early: Option<EarlySpec>,
}

#[derive(Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object such as {\"content_type\": \"text/plain\", \"content\": \"teapot\"}"
)]
struct RawBodySpec {
    content_type: HeaderText,
    content: Content,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object such as {\"after\": 0, \"manner\": \"reset\"}")]
struct EarlySpec {
    after: u64,
    manner: Early,
}

/// An error body: the name of a form, or a full body.
#[derive(Debug)]
enum BodySpec {
    Form(ErrorForm),
    Body(ErrorBody),
}

impl<'de> Deserialize<'de> for BodySpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(name) => name.parse().map(Self::Form).map_err(D::Error::custom),
            value => ErrorBody::deserialize(value).map(Self::Body).map_err(D::Error::custom),
        }
    }
}

/// Headers such as `{"retry-after": "2", "via": ["a", "b"]}`, each checked to be a valid name and value.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, ValuesSpec>")]
struct HeadersSpec(Vec<(String, String)>);

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a header's value as a text, or a list of them")]
enum ValuesSpec {
    One(HeaderText),
    Many(Vec<HeaderText>),
}

impl TryFrom<BTreeMap<String, ValuesSpec>> for HeadersSpec {
    type Error = String;

    fn try_from(given: BTreeMap<String, ValuesSpec>) -> Result<Self, String> {
        let mut headers = Vec::new();
        for (name, values) in given {
            if HeaderName::try_from(&name).is_err() {
                return Err(format!("{name:?} is not a header's name: use `raw` for what HTTP forbids"));
            }
            match values {
                ValuesSpec::One(value) => headers.push((name, value.0)),
                ValuesSpec::Many(values) => headers.extend(values.into_iter().map(|value| (name.clone(), value.0))),
            }
        }
        Ok(Self(headers))
    }
}

/// A valid header value. In-process, invalid values are left out silently; over HTTP they are an error.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct HeaderText(String);

impl TryFrom<String> for HeaderText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match HeaderValue::try_from(&text) {
            Ok(_) => Ok(Self(text)),
            Err(_) => Err(format!("a header may not hold {text:?}: use `raw` for what HTTP forbids")),
        }
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CallFaultSpec::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl TryFrom<CallFaultSpec> for Fault {
    type Error = String;

    fn try_from(spec: CallFaultSpec) -> Result<Self, String> {
        let instead = [
            ("answer", spec.answer.is_some()),
            ("success_body", spec.success_body.is_some()),
            ("raw", spec.raw.is_some()),
            ("cut_request", spec.cut_request.is_some()),
        ];
        let instead: Vec<_> = instead.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect();
        if let [first, second, ..] = instead.as_slice() {
            return Err(format!("`{first}` and `{second}` exclude each other: give two faults"));
        }
        let changes = spec.cut_response.is_some() || spec.delay.is_some() || !spec.pauses.is_empty();
        if instead.is_empty() && !changes && spec.charged.is_none() {
            return Err(
                "the fault does nothing: give `answer`, `success_body`, `raw`, `cut_request`, `cut_response`, \
                        `delay`, `pauses` or `charged`"
                    .to_owned(),
            );
        }
        if spec.on_call.is_some() && spec.on_client_request_id.is_some() {
            return Err("`on_call` and `on_client_request_id` exclude each other: give one".to_owned());
        }
        let mut fault = match spec.answer {
            Some(answer) => answering(answer)?,
            None => Self::new(),
        };
        fault.success_body = spec.success_body.map(|content| content.0);
        fault.raw = spec.raw.map(Into::into);
        fault.request_cut = spec.cut_request.map(CutSpec::parts);
        fault.response_cut = spec.cut_response.map(CutSpec::parts);
        fault.charged = spec.charged;
        let delay = spec.delay.map(|delay| (0, delay.0));
        let pauses = delay.into_iter().chain(spec.pauses.into_iter().map(PauseSpec::parts));
        fault = pauses.fold(fault, |fault, (offset, pause)| fault.then_pause(offset, pause));
        if let Some(seq) = spec.on_call {
            fault = fault.on_call(seq.get());
        }
        if let Some(id) = spec.on_client_request_id {
            fault = fault.on_client_request_id(id);
        }
        Ok(match spec.times.0 {
            Some(times) => fault.times(times),
            None => fault.always(),
        })
    }
}

fn answering(spec: AnswerSpec) -> Result<Fault, String> {
    let status = spec.status.0;
    let mut fault = match spec.early {
        Some(early) => Fault::early(status, early.after, early.manner),
        None => Fault::answer(status),
    };
    match (spec.body, spec.raw_body) {
        (Some(_), Some(_)) => return Err("`body` and `raw_body` exclude each other: give one".to_owned()),
        (Some(BodySpec::Form(form)), None) => fault = fault.body(form.of_status(status)),
        (Some(BodySpec::Body(body)), None) => fault = fault.body(body),
        (None, Some(raw)) => fault = fault.raw_body(raw.content_type.0, raw.content.0),
        (None, None) => {}
    }
    Ok(spec.headers.0.into_iter().fold(fault, |fault, (name, value)| fault.header(name, value)))
}
