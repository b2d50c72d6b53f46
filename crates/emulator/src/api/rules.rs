//! Validates a paid request with core's own rules and converts violations to the gateway's form.

use gptimage_model::rules::{ReceivedFile, check_received_files, check_received_parameters};
use gptimage_model::wire::{IMAGE, MASK};
use gptimage_model::{Rule, Violation};

use super::fields::Texts;
use super::form::{FilePart, Form};
use crate::Operation;
use crate::fault::Issue;

/// Validates the parameters.
pub(crate) fn check_parameters(operation: Operation, texts: &Texts) -> Vec<Issue> {
    let received = texts.iter().map(|(name, text)| (*name, text.as_str()));
    check_received_parameters(operation, received).iter().map(issue).collect()
}

/// Validates an edit's images and mask. Slow, because it decodes the mask.
pub(crate) fn check_files(model: &str, form: &Form) -> Vec<Issue> {
    let images: Vec<_> = form.images.iter().map(parts).collect();
    let several = form.masks.len() > 1;
    let duplicate = several.then(|| Issue::new("duplicate", MASK, "The field is there twice."));
    let found = check_received_files(model, &images, form.masks.first().map(parts));
    duplicate.into_iter().chain(found.iter().map(issue)).collect()
}

fn parts(file: &FilePart) -> (&ReceivedFile, &bytes::Bytes) {
    (&file.received, &file.bytes)
}

/// Converts a violation to the gateway's form. Core calls a single image `image`, and the third of several
/// `image[2]`.
fn issue(violation: &Violation) -> Issue {
    let (code, of_the_list) = match violation.rule() {
        Rule::Required => ("invalid_type", true),
        Rule::MaxItems => ("too_big", true),
        Rule::Type => ("invalid_type", false),
        Rule::OneOf | Rule::Format => ("invalid_value", false),
        Rule::Range if violation.given().parse().is_ok_and(|given: i64| given < 1) => ("too_small", false),
        Rule::MaxBytes | Rule::MaxLength | Rule::Range => ("too_big", false),
        Rule::NotEmpty => ("too_small", false),
        _ => ("custom", false),
    };
    let message = sentence(violation.message());
    match violation.param().strip_prefix(IMAGE) {
        Some(place) if !of_the_list => {
            let index = place.trim_matches(['[', ']']).parse().unwrap_or(0);
            Issue::at(code, IMAGE, index, message)
        }
        _ => Issue::new(code, violation.param(), message),
    }
}

/// Makes a sentence of `text`: a capital letter first and a full stop at the end.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}
