//! The judgement of an edit's files, by core's own rules.

use gptimage_model::rules::{ReceivedFile, check_received};
use gptimage_model::{Rule, Violation};

use super::form::{FilePart, Form};
use crate::fault::Issue;

/// Judges the images and the mask; what is wrong goes to the form's issues.
pub(crate) fn judge(form: &mut Form) {
    let images: Vec<_> = form.images.iter().map(parts).collect();
    let found = check_received(&images, form.masks.first().map(parts));
    let several = form.masks.len() > 1;
    form.issues.extend(several.then(|| Issue::new("duplicate", "mask", "The field is there twice.")));
    form.issues.extend(found.iter().map(issue));
}

fn parts(file: &FilePart) -> (&ReceivedFile, &bytes::Bytes) {
    (&file.received, &file.bytes)
}

/// A violation in the gateway's form: core calls the only image `image`, and the third of several `image[2]`.
fn issue(violation: &Violation) -> Issue {
    let (code, of_the_list) = match violation.rule() {
        Rule::Required => ("invalid_type", true),
        Rule::MaxItems => ("too_big", true),
        Rule::MaxBytes => ("too_big", false),
        Rule::NotEmpty => ("too_small", false),
        Rule::Format => ("invalid_value", false),
        _ => ("custom", false),
    };
    let message = sentence(violation.message());
    match violation.param().strip_prefix("image") {
        Some(place) if !of_the_list => {
            let index = place.trim_matches(['[', ']']).parse().unwrap_or(0);
            Issue::at(code, "image", index, message)
        }
        _ => Issue::new(code, violation.param(), message),
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}
