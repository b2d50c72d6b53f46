//! `requests.toml`: request → exact body, or exact violations.

use gptimage_model::request::Source;
use gptimage_model::wire::{Body, BodyPart};
use gptimage_model::{InvalidRequest, Request};

use super::inputs::Input;
use super::mismatch::{Mismatches, bytes_differ, differ, lacks, not_one_printable_line, read};
use super::request_case::{Case, Cases, ExpectedViolation, Inputs, build, render};

const BOUNDARY: &str = "gptimage-cases";

fn check_violations(expected: &[ExpectedViolation], built: Result<Request, InvalidRequest>) -> Vec<String> {
    let Err(error) = built else { return vec!["  expected violations\n    got      a valid request".to_owned()] };
    let listed =
        |pairs: Vec<(&str, &str)>| pairs.iter().map(|(param, rule)| format!("{param}: {rule}")).collect::<Vec<_>>();
    let got = error.violations();
    let mut failures: Vec<String> = [
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
        failures.extend(lacks("error", &error.to_string(), got.message()));
    }
    failures
}

/// The bytes that are sent.
fn sent(body: &Body) -> Vec<u8> {
    let parts = body.parts.iter().map(|part| match part {
        BodyPart::Text(text) => text.to_vec(),
        BodyPart::Input(input) => match &input.source {
            Source::Bytes(bytes) => bytes.to_vec(),
            Source::File { path, .. } => std::fs::read(path).unwrap(),
        },
    });
    parts.collect::<Vec<_>>().concat()
}

fn check_body(case: &Case, inputs: &Inputs, built: Result<Request, InvalidRequest>) -> Vec<String> {
    let saved = built.and_then(|request| match &inputs.save_to {
        Some(path) => request.saved_to(&path.into()),
        None => Ok(request),
    });
    let request = match saved {
        Ok(request) => request,
        Err(error) => return vec![format!("  expected a valid request\n    got      {error}")],
    };
    let body = Body::of(&request, BOUNDARY).unwrap();
    let prompt = case.prompt.text();
    let (content_type, expected) = match (&case.json, &case.parts) {
        (Some(json), None) => ("application/json".to_owned(), json.replace("{{prompt}}", &prompt).into_bytes()),
        (None, Some(parts)) => {
            (format!("multipart/form-data; boundary={BOUNDARY}"), render(parts, BOUNDARY, &prompt, inputs))
        }
        _ => panic!("{}: generate expects json, edit expects parts, or either violations", case.name),
    };
    let bytes = sent(&body);
    [
        differ("content type", &content_type, &body.content_type),
        differ("length", &(bytes.len() as u64), &body.len()),
        bytes_differ("body", &expected, &bytes),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn requests() {
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
            None => check_body(case, &inputs, built),
        };
        mismatches.add(&case.name, failures);
    }
    // Threat: cannot-be-right
    mismatches.report(run);
}

#[test]
fn names_are_not_used_twice() {
    let Cases { case: cases } = read("requests.toml");
    let mut names: Vec<_> = cases.iter().map(|case| &case.name).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}
