//! `requests.toml`: valid requests over HTTP, refusals as errors. What is in a body, and which rules a refusal names, is
//! compared in `gptimage-model`.

use gptimage_core::{Charge, Client, Error, ErrorKind, InvalidRequest, Operation, Request};
use gptimage_emulator::{Emulator, RecordedRequest, Side};

use super::inputs::Input;
use super::mismatch::{Mismatches, bytes_differ, differ, fixture, lacks, not_one_printable_line, read};
use super::request_case::{Case, Cases, Inputs, build, render};

const KEY: &str = "sk-cases-0123456789abcdef";

fn check_refusal(built: Result<Request, InvalidRequest>) -> Vec<String> {
    let Err(invalid) = built else { return vec!["  expected violations\n    got      a valid request".to_owned()] };
    let (text, violations) = (invalid.to_string(), invalid.violations().to_vec());
    let error = Error::from(invalid);
    [
        differ("kind", &ErrorKind::InvalidRequest, &error.kind()),
        differ("charge", &Charge::NotCharged, &error.charge()),
        differ("message", &text.as_str(), &error.message()),
        differ("violations", &violations.as_slice(), &error.violations()),
        not_one_printable_line("error", &error),
    ]
    .into_iter()
    .flatten()
    .collect()
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

async fn check_wire(case: &Case, inputs: &Inputs, built: Result<Request, InvalidRequest>) -> Vec<String> {
    let request = match built {
        Ok(request) => request,
        Err(error) => return vec![format!("  expected a valid request\n    got      {error}")],
    };
    // A picture at hand in place of a drawn one: only the request is looked at.
    let emulator =
        Emulator::builder().key(KEY).canned(fixture("rgb-4x4.png")).keep_bodies(64 << 20).start().await.unwrap();
    let config = Client::builder().api_key(KEY).base_url(emulator.base_url()).no_proxy().max_attempts(1).fetch(false);
    let client = config.build().unwrap();
    let call = || match &inputs.save_to {
        Some(path) => client.call(request.clone()).save_to(path),
        None => client.call(request.clone()),
    };
    let shown = call().dry_run().unwrap();
    let result = call().send().await;
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
            let (head, shown) = shown.split_once("\n\n").unwrap();
            failures.extend(bytes_differ("body of the dry run", shown.as_bytes(), body));
            let length = format!("content-length: {}", body.len());
            failures.extend(differ("length of the dry run", &true, &head.lines().any(|line| line == length)));
            failures.extend(lacks("dry run", head, "POST /v1/images/generations HTTP/1.1\n"));
            failures.extend(differ("a key in the dry run", &false, &head.contains(KEY)));
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
            Some(_) => check_refusal(built),
            None => check_wire(case, &inputs, built).await,
        };
        mismatches.add(&case.name, failures);
    }
    mismatches.report(run);
}
