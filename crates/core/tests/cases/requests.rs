//! `requests.toml`: request → exact wire request, or exact violations.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gptimage_core::{
    Charge, Client, Config, EditRequest, EditRequestBuilder, Error, ErrorKind, GenerateRequest, GenerateRequestBuilder,
};
use gptimage_emulator::{Emulator, RecordedRequest, Side};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::inputs::{Input, Made};
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
    prompt: Prompt,
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    extra: Option<String>,
    #[serde(default)]
    images: Vec<Input>,
    mask: Option<Input>,
    save_to: Option<String>,
    #[serde(default)]
    structural_rules: bool,
    #[serde(default)]
    refused: bool,
    json: Option<String>,
    parts: Option<Vec<Part>>,
    violations: Option<Vec<ExpectedViolation>>,
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
enum Prompt {
    Text(String),
    Repeated { repeat: String, times: usize },
}

impl Default for Prompt {
    fn default() -> Self {
        Self::Text("A hat".to_owned())
    }
}

impl Prompt {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Repeated { repeat, times } => repeat.repeat(*times),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    name: String,
    text: Option<String>,
    filename: Option<String>,
    content_type: Option<String>,
    equals: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedViolation {
    param: String,
    rule: String,
    given: Option<String>,
    message_contains: Option<String>,
}

/// A case's inputs, made.
struct Inputs {
    images: Vec<Made>,
    mask: Option<Made>,
    save_to: Option<PathBuf>,
    /// Holds the made files.
    _folder: tempfile::TempDir,
}

impl Inputs {
    fn make(case: &Case) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let make = |(index, input): (usize, &Input)| {
            let own = folder.path().join(index.to_string());
            std::fs::create_dir(&own).unwrap();
            input.make(&own)
        };
        let images = case.images.iter().enumerate().map(make).collect();
        let mask = case.mask.as_ref().map(|mask| make((case.images.len(), mask)));
        let save_to = case.save_to.as_ref().map(|name| folder.path().join(name));
        Self { images, mask, save_to, _folder: folder }
    }

    fn read(&self, what: &str) -> Vec<u8> {
        match what.strip_prefix("image ") {
            Some(index) => self.images[index.parse::<usize>().unwrap()].read(),
            None => self.mask.as_ref().filter(|_| what == "mask").unwrap().read(),
        }
    }
}

enum Request {
    Generate(Box<GenerateRequest>),
    Edit(Box<EditRequest>),
}

/// Says the same to either builder.
macro_rules! fill {
    ($builder:expr, $case:expr, $inputs:expr) => {{
        let mut builder = $builder;
        for (name, value) in &$case.set {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            builder = builder.set(name, &text);
        }
        let extra: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str($case.extra.as_deref().unwrap_or("{}")).unwrap();
        for (name, value) in extra {
            builder = builder.extra_json(name, value.get());
        }
        if let Some(path) = &$inputs.save_to {
            builder = builder.output_format_from(path);
        }
        builder.structural_rules($case.structural_rules)
    }};
}

fn build(case: &Case, inputs: &Inputs) -> Result<Request, Error> {
    let prompt = case.prompt.text();
    match case.operation {
        Operation::Generate => {
            assert!(case.images.is_empty() && case.mask.is_none(), "{}: generate has no inputs", case.name);
            let builder: GenerateRequestBuilder = fill!(GenerateRequest::builder(prompt), case, inputs);
            builder.build().map(|request| Request::Generate(Box::new(request)))
        }
        Operation::Edit => {
            let images = inputs.images.iter().map(Made::input);
            let mut builder: EditRequestBuilder = fill!(EditRequest::builder(prompt, images), case, inputs);
            if let Some(mask) = &inputs.mask {
                builder = builder.mask(mask.input());
            }
            builder.build().map(|request| Request::Edit(Box::new(request)))
        }
    }
}

/// The body of a form, rendered from what the case says of its parts.
fn render(parts: &[Part], boundary: &str, prompt: &str, inputs: &Inputs) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        let mut head = format!("Content-Disposition: form-data; name=\"{}\"", part.name);
        let content = match (&part.text, &part.equals) {
            (Some(text), None) => text.replace("{{prompt}}", prompt).into_bytes(),
            (None, Some(what)) => {
                let (filename, mime) = (part.filename.as_ref().unwrap(), part.content_type.as_ref().unwrap());
                head.push_str(&format!("; filename=\"{filename}\"\r\nContent-Type: {mime}"));
                inputs.read(what)
            }
            _ => panic!("the part {} is neither text nor a file", part.name),
        };
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

fn check_violations(expected: &[ExpectedViolation], built: Result<Request, Error>) -> Vec<String> {
    let Err(error) = built else { return vec!["  expected violations\n    got      a valid request".to_owned()] };
    let listed =
        |pairs: Vec<(&str, &str)>| pairs.iter().map(|(param, rule)| format!("{param}: {rule}")).collect::<Vec<_>>();
    let got = error.violations();
    let mut failures: Vec<String> = [
        differ("kind", &ErrorKind::InvalidRequest, &error.kind()),
        differ("charge", &Charge::NotCharged, &error.charge()),
        not_one_printable_line("error", &error),
        differ(
            "violations",
            &listed(expected.iter().map(|v| (v.param.as_str(), v.rule.as_str())).collect()),
            &listed(got.iter().map(|v| (v.param(), v.rule().as_str())).collect()),
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    for (expected, got) in expected.iter().zip(got) {
        let given = expected.given.as_ref().and_then(|given| differ("given", given, &got.given().to_owned()));
        let part = expected.message_contains.as_ref();
        failures.extend(given);
        failures.extend(part.and_then(|part| lacks("violation", got.message(), part)));
        failures.extend(lacks("error", error.message(), got.message()));
    }
    failures
}

fn check_head(request: &RecordedRequest, path: &str, content_type: &str) -> Vec<String> {
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let id = header("x-client-request-id");
    let id_fits =
        (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
    let got_type = header("content-type").split(';').next().unwrap_or_default().to_owned();
    [
        differ("method", &"POST".to_owned(), &request.method),
        differ("target", &path.to_owned(), &request.target),
        differ("authorization", &format!("Bearer {KEY}"), &header("authorization")),
        differ("content-type", &content_type.to_owned(), &got_type),
        differ("content-length", &request.body_len.to_string(), &header("content-length")),
        differ("transfer-encoding", &None, &request.header("transfer-encoding")),
        differ("a client request id of 1 to 128 allowed characters", &true, &id_fits),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn check_wire(case: &Case, inputs: &Inputs, built: Result<Request, Error>) -> Vec<String> {
    let request = match built {
        Ok(request) => request,
        Err(error) => return vec![format!("  expected a valid request\n    got      {error}")],
    };
    // A picture at hand in place of a drawn one: only the request is looked at.
    let emulator =
        Emulator::builder().key(KEY).canned(fixture("rgb-4x4.png")).keep_bodies(64 << 20).start().await.unwrap();
    let config = Config::new().api_key(KEY).base_url(emulator.base_url()).no_proxy().max_attempts(1).fetch(false);
    let client = Client::new(config).unwrap();
    let call = match &request {
        Request::Generate(request) => client.generate(request),
        Request::Edit(request) => client.edit(request),
    };
    let result = match &inputs.save_to {
        Some(path) => call.save_to(path).await,
        None => call.await,
    };
    emulator.wait_idle().await;
    let mut failures = Vec::new();
    match (&result, case.refused) {
        (Ok(_), false) => {}
        (Err(error), true) if matches!(error.kind(), ErrorKind::BadRequest | ErrorKind::NotFound) => {}
        (result, refused) => {
            failures.push(format!("  refused by the server: expected {refused}\n    got      {result:?}"))
        }
    }
    let sent: Vec<_> = emulator.requests().into_iter().filter(|request| request.side == Side::Api).collect();
    let [sent] = sent.as_slice() else {
        failures.push(format!("  expected one request\n    got      {}", sent.len()));
        return failures;
    };
    let body = sent.body.as_ref().expect("bodies up to 64 MiB are kept");
    let prompt = case.prompt.text();
    match (case.operation, &case.json, &case.parts) {
        (Operation::Generate, Some(json), None) => {
            failures.extend(check_head(sent, "/v1/images/generations", "application/json"));
            failures.extend(bytes_differ("body", json.replace("{{prompt}}", &prompt).as_bytes(), body));
        }
        (Operation::Edit, None, Some(parts)) => {
            failures.extend(check_head(sent, "/v1/images/edits", "multipart/form-data"));
            let boundary = sent.header("content-type").and_then(|value| value.split_once("boundary=")).unwrap().1;
            failures.extend(bytes_differ("body", &render(parts, boundary, &prompt, inputs), body));
        }
        _ => panic!("{}: generate expects json, edit expects parts, or either violations", case.name),
    }
    failures
}

#[tokio::test]
async fn requests() {
    let Cases { case: cases } = read("requests.toml");
    let mut mismatches = Mismatches::default();
    let mut run = 0;
    for case in &cases {
        if !case.images.iter().chain(&case.mask).all(Input::possible) {
            continue;
        }
        run += 1;
        let inputs = Inputs::make(case);
        let built = build(case, &inputs);
        let failures = match &case.violations {
            Some(expected) => check_violations(expected, built),
            None => check_wire(case, &inputs, built).await,
        };
        mismatches.add(&case.name, failures);
    }
    mismatches.report(run);
}

#[test]
fn names_are_not_used_twice() {
    let Cases { case: cases } = read("requests.toml");
    let mut names: Vec<_> = cases.iter().map(|case| &case.name).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}
