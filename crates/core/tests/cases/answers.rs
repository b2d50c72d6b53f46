//! `answers.toml`: what a server says → result or error.

use std::collections::BTreeMap;
use std::time::Duration;

use gptimage_core::{
    Attempt, Charge, Client, Cost, EditRequest, Error, GenerateRequest, Generated, Image, ImageInput, Timers,
};
use gptimage_emulator::{Emulator, Fault, Side};
use serde::Deserialize;

use super::cdn;
use super::errors::Kinds;
use super::expand::Expand;
use super::mismatch::{Mismatches, bytes_differ, differ, fixture, lacks, not_one_printable_line, read};

const KEY: &str = "sk-cases-0123456789abcdef";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    operation: Operation,
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    #[serde(default = "yes")]
    fetch: bool,
    #[serde(default)]
    status: Statuses,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    body_file: Option<String>,
    result: Option<ExpectedResult>,
    error: Option<ExpectedError>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Operation {
    #[default]
    Generate,
    Edit,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Statuses {
    One(u16),
    Each(Vec<u16>),
}

impl Default for Statuses {
    fn default() -> Self {
        Self::One(200)
    }
}

impl Statuses {
    fn list(&self) -> Vec<u16> {
        match self {
            Self::One(status) => vec![*status],
            Self::Each(statuses) => statuses.clone(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedResult {
    images: Vec<ExpectedImage>,
    usd: Option<String>,
    credits: Option<String>,
    created: Option<i64>,
    #[serde(default)]
    warnings: Vec<String>,
    response: Option<String>,
    inference_id: Option<String>,
    request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedError {
    kind: Option<String>,
    number: Option<i32>,
    charge: Option<String>,
    #[serde(default)]
    vendor_says_free: bool,
    retry_after_seconds: Option<f64>,
    retry_after_at_least: Option<f64>,
    #[serde(default)]
    images: Vec<ExpectedImage>,
    usd: Option<String>,
    credits: Option<String>,
    #[serde(default)]
    message_contains: Vec<String>,
    #[serde(default)]
    response_body_contains: Vec<String>,
    inference_id: Option<String>,
    request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedImage {
    format: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    equals: Option<String>,
    bytes: Option<u64>,
    url: Option<String>,
    revised_prompt: Option<String>,
}

async fn call(case: &Case, emulator: &Emulator) -> Result<Generated, Error> {
    let mut timers = Timers::default();
    (timers.initial_backoff, timers.max_backoff) = (Duration::ZERO, Duration::ZERO);
    timers.url_not_found = Duration::ZERO;
    let config = Client::builder()
        .api_key(KEY)
        .base_url(emulator.base_url())
        .no_proxy()
        .max_attempts(1)
        .fetch(case.fetch)
        .timers(timers);
    let client = config.build()?;
    let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match case.operation {
        Operation::Generate => {
            let mut builder = GenerateRequest::builder("A hat");
            for (name, value) in &case.set {
                builder = builder.set(name, &text(value));
            }
            client.generate(&builder.build()?).send().await
        }
        Operation::Edit => {
            let mut builder = EditRequest::builder("A hat", [ImageInput::bytes(fixture("rgb-4x4.png"))]);
            for (name, value) in &case.set {
                builder = builder.set(name, &text(value));
            }
            client.edit(&builder.build()?).send().await
        }
    }
}

/// The answer that the case describes.
fn scripted(case: &Case, status: u16, expand: &Expand) -> Fault {
    let content_type = case.headers.get("content-type").map_or("application/json", String::as_str);
    let body = case.body_file.as_ref().map_or_else(|| expand.text(&case.body).into_bytes(), |name| fixture(name));
    let fault = Fault::answer(status).raw_body(content_type, body).always();
    let others = case.headers.iter().filter(|(name, _)| *name != "content-type");
    others.fold(fault, |fault, (name, value)| fault.header(name, expand.text(value)))
}

fn check_images(expected: &[ExpectedImage], got: &[Image], expand: &Expand) -> Vec<String> {
    let mut failures: Vec<_> = differ("pictures", &expected.len(), &got.len()).into_iter().collect();
    for (index, (expected, got)) in expected.iter().zip(got).enumerate() {
        let what = |what: &str| format!("picture {}: {what}", index + 1);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let size = expected.width.zip(expected.height);
        let url = expected.url.as_ref().map(|url| expand.text(url));
        failures.extend(differ(&what("format"), &expected.format, &owned(got.format().map(|format| format.as_str()))));
        failures.extend(differ(&what("size"), &size, &got.dimensions()));
        failures.extend(differ(&what("url"), &url, &owned(got.url())));
        failures.extend(differ(&what("revised prompt"), &expected.revised_prompt, &owned(got.revised_prompt())));
        failures.extend(expected.bytes.and_then(|bytes| differ(&what("length"), &Some(bytes), &got.len_bytes())));
        if let Some(name) = &expected.equals {
            let bytes = got.bytes().map_or(&[][..], |bytes| bytes);
            failures.extend(bytes_differ(&what("bytes"), &fixture(name), bytes));
        }
    }
    failures
}

fn check_cost(usd: Option<&String>, credits: Option<&String>, got: Option<&Cost>) -> Vec<String> {
    let text = |amount: Option<gptimage_core::Amount>| amount.map(|amount| amount.to_string());
    let got_usd = text(got.and_then(|cost| cost.usd));
    let got_credits = text(got.and_then(|cost| cost.credits));
    [differ("usd", &usd.cloned(), &got_usd), differ("credits", &credits.cloned(), &got_credits)]
        .into_iter()
        .flatten()
        .collect()
}

/// One attempt, with what the answer says.
fn check_attempts(attempts: &[Attempt], status: u16, charge: Charge, ids: [Option<&String>; 2]) -> Vec<String> {
    let [attempt] = attempts else { return vec![format!("  attempts\n    expected 1\n    got      {attempts:?}")] };
    let [inference_id, request_id] = ids;
    let id = |what, expected: Option<&String>, got: &Option<String>| {
        expected.and_then(|expected| differ(what, &Some(expected.clone()), got))
    };
    [
        differ("attempt's status", &Some(status), &attempt.http_status),
        differ("attempt's charge", &charge, &attempt.charge),
        differ("attempt's bytes", &attempt.bytes_total, &attempt.bytes_sent),
        id("inference id", inference_id, &attempt.inference_id),
        id("request id", request_id, &attempt.request_id),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn check_result(expected: &ExpectedResult, status: u16, got: &Generated, expand: &Expand) -> Vec<String> {
    let kinds: Vec<_> = got.warnings().iter().map(|warning| warning.kind().to_owned()).collect();
    let mut failures = check_images(&expected.images, got.images(), expand);
    failures.extend(check_cost(expected.usd.as_ref(), expected.credits.as_ref(), got.cost()));
    failures.extend(differ("created", &expected.created, &got.created()));
    failures.extend(differ("warnings", &expected.warnings, &kinds));
    if let Some(response) = &expected.response {
        let response: serde_json::Value = serde_json::from_str(response).unwrap();
        failures.extend(differ("response", &response, got.response()));
    }
    let ids = [expected.inference_id.as_ref(), expected.request_id.as_ref()];
    failures.extend(check_attempts(got.attempts(), status, Charge::Charged, ids));
    for warning in got.warnings() {
        failures.extend(not_one_printable_line("warning", warning));
        failures.extend(shows_the_key("warning", warning.message()));
    }
    failures
}

fn check_error(expected: &ExpectedError, status: u16, got: &Error, expand: &Expand) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(kind) = &expected.kind {
        failures.extend(differ("kind", kind, &got.kind().to_string()));
        failures.extend(differ("number", &expected.number, &Some(got.kind().number())));
        failures.extend(differ("charge", &expected.charge.as_deref(), &Some(got.charge().as_str())));
        failures.extend(differ("vendor says free", &expected.vendor_says_free, &got.vendor_says_free()));
    }
    failures.extend(differ("status", &Some(status), &got.http_status()));
    let wait = got.retry_after().map(|wait| wait.as_secs_f64());
    match expected.retry_after_at_least {
        Some(least) => failures.extend(differ("a long retry after", &true, &wait.is_some_and(|wait| wait >= least))),
        None => failures.extend(differ("retry after", &expected.retry_after_seconds, &wait)),
    }
    failures.extend(check_images(&expected.images, got.generated().map_or(&[], Generated::images), expand));
    let cost = got.attempts().last().and_then(|attempt| attempt.cost.as_ref());
    failures.extend(check_cost(expected.usd.as_ref(), expected.credits.as_ref(), cost));
    failures.extend(expected.message_contains.iter().filter_map(|part| lacks("text", got.message(), part)));
    let body = got.response_body().unwrap_or_default();
    failures.extend(expected.response_body_contains.iter().filter_map(|part| lacks("kept answer", body, part)));
    let ids = [expected.inference_id.as_ref(), expected.request_id.as_ref()];
    failures.extend(check_attempts(got.attempts(), status, got.charge(), ids));
    failures.extend(not_one_printable_line("text", got));
    failures.extend(shows_the_key("text", &got.to_string()));
    failures.extend(shows_the_key("debug form", &format!("{got:?}")));
    failures.extend(shows_the_key("JSON form", &serde_json::to_string(got).unwrap()));
    failures
}

fn shows_the_key(what: &str, text: &str) -> Option<String> {
    // A cut key is a key too.
    let telling = &KEY[..16];
    let (before, _) = text.split_once(telling)?;
    let skipped = before.chars().count().saturating_sub(60);
    let around: String = before.chars().skip(skipped).collect();
    Some(format!("  {what}\n    expected no key\n    got      …{around}{telling}…"))
}

async fn check(case: &Case, status: u16, expand: &Expand) -> Vec<String> {
    let emulator = Emulator::builder().key(KEY).start().await.unwrap();
    emulator.fault(scripted(case, status, expand));
    let got = call(case, &emulator).await;
    emulator.wait_idle().await;
    let posts = emulator.requests().iter().filter(|request| request.side == Side::Api).count();
    let mut failures: Vec<_> = differ("requests that arrived", &1, &posts).into_iter().collect();
    failures.extend(match (&case.result, &case.error, got) {
        (Some(expected), None, Ok(got)) => check_result(expected, status, &got, expand),
        (None, Some(expected), Err(got)) => check_error(expected, status, &got, expand),
        (Some(_), None, Err(got)) => vec![format!("  expected a result\n    got      {}: {got}", got.kind())],
        (None, Some(_), Ok(got)) => vec![format!("  expected an error\n    got      {got:?}")],
        _ => panic!("{}: expects either a result or an error", case.name),
    });
    failures
}

#[tokio::test]
async fn answers() {
    let Cases { case: cases } = read("answers.toml");
    let expand = Expand { cdn_url: cdn::start(), key: KEY };
    let mut mismatches = Mismatches::default();
    let mut run = 0;
    for case in &cases {
        for status in case.status.list() {
            run += 1;
            mismatches.add(&format!("{} ({status})", case.name), check(case, status, &expand).await);
        }
    }
    mismatches.report(run);
}

#[test]
fn names_are_not_used_twice() {
    let Cases { case: cases } = read("answers.toml");
    let mut names: Vec<_> = cases.iter().map(|case| &case.name).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn kinds_have_the_numbers_and_charges_of_the_table_and_none_is_without_a_case() {
    let Cases { case: cases } = read("answers.toml");
    let Kinds { kind: kinds } = read("errors.toml");
    let errors: Vec<_> = cases.iter().filter_map(|case| Some((&case.name, case.error.as_ref()?))).collect();
    for (name, error) in &errors {
        let Some(slug) = &error.kind else { continue };
        let kind = kinds.iter().find(|kind| &kind.slug == slug).unwrap_or_else(|| panic!("{name}: {slug} is no kind"));
        assert_eq!(error.number, Some(kind.number), "{name}");
        assert!(error.charge.as_ref().is_some_and(|charge| kind.charge.contains(charge)), "{name}");
    }
    for kind in kinds.iter().filter(|kind| kind.cases == "answers") {
        assert!(errors.iter().any(|(_, error)| error.kind.as_ref() == Some(&kind.slug)), "{} has no case", kind.slug);
    }
}
