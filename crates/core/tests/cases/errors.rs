//! `errors.toml`: every kind of error and its number. The exit codes are the command's to check.

use gptimage_core::ErrorKind;
use serde::Deserialize;

use super::mismatch::read;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kinds {
    pub(crate) kind: Vec<Kind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kind {
    pub(crate) slug: String,
    pub(crate) number: i32,
    exit_code: u8,
    python: String,
    pub(crate) charge: Vec<String>,
    pub(crate) cases: String,
}

#[test]
fn every_kind_has_the_number_of_the_table() {
    let Kinds { kind: kinds } = read("errors.toml");
    let listed: Vec<_> = kinds.iter().map(|kind| (kind.slug.as_str(), kind.number)).collect();
    let known: Vec<_> = ErrorKind::ALL.iter().map(|kind| (kind.as_str(), kind.number())).collect();
    assert_eq!(listed, known);
}

#[test]
fn no_slug_number_exit_code_or_class_means_two_things() {
    let Kinds { kind: kinds } = read("errors.toml");
    let different = |values: Vec<String>| {
        let mut once = values.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), values.len(), "{values:?}");
    };
    different(kinds.iter().map(|kind| kind.slug.clone()).collect());
    different(kinds.iter().map(|kind| kind.number.to_string()).collect());
    different(kinds.iter().map(|kind| kind.exit_code.to_string()).collect());
    different(kinds.iter().map(|kind| kind.python.clone()).collect());
    for kind in &kinds {
        assert!(["requests", "answers", "elsewhere"].contains(&kind.cases.as_str()), "{}", kind.slug);
    }
}

#[test]
fn the_order_is_that_of_the_numbers() {
    assert!(ErrorKind::ALL.is_sorted_by_key(|kind| kind.number()));
}
