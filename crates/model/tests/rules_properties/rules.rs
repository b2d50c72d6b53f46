//! The rules against the oracle, and what holds of any request.

use std::collections::BTreeSet;

use gptimage_model::{EditRequest, GenerateRequest, ImageInput, InvalidRequest, Operation, PARAMETERS};
use proptest::prelude::*;

use super::given::given;
use super::oracle::violated;

const PNG: &[u8] = include_bytes!("../../../../tests/fixtures/rgb-4x4.png");

fn params(error: &InvalidRequest) -> BTreeSet<String> {
    error.violations().iter().map(|violation| violation.param().to_owned()).collect()
}

/// Holds of every refusal.
fn is_a_refusal(error: &InvalidRequest) {
    assert!(!error.violations().is_empty());
    let text = error.to_string();
    assert!(!text.chars().any(char::is_control), "{text:?}");
    for violation in error.violations() {
        assert!(text.contains(&violation.to_string()), "{violation} is not in {text}");
        assert!(violation.given().chars().count() <= 2000, "{} is too long to repeat", violation.param());
    }
}

/// Every name that `set` may be given: those of the API, and any other.
fn name() -> impl Strategy<Value = String> {
    let mut known: Vec<String> = PARAMETERS.iter().map(|parameter| parameter.name.to_owned()).collect();
    known.extend(["prompt", "image", "mask", "stream"].map(str::to_owned));
    prop_oneof![8 => prop::sample::select(known), 1 => "[a-z_é漢 ]{0,12}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generate_is_refused_for_what_the_table_forbids_and_nothing_else(given in given()) {
        let expected = violated(Operation::Generate, &given);
        let got = given.generate();
        prop_assert_eq!(got.as_ref().err().map(params).unwrap_or_default(), expected);
        got.err().iter().for_each(is_a_refusal);
    }

    #[test]
    fn edit_is_refused_for_what_the_table_forbids_and_nothing_else(given in given()) {
        let expected = violated(Operation::Edit, &given);
        let got = given.edit();
        prop_assert_eq!(got.as_ref().err().map(params).unwrap_or_default(), expected);
        got.err().iter().for_each(is_a_refusal);
    }

    #[test]
    fn the_same_request_is_judged_the_same(given in given()) {
        let text = |error: InvalidRequest| (error.to_string(), error.violations().to_vec());
        prop_assert_eq!(given.generate().map(|_| ()).map_err(text), given.generate().map(|_| ()).map_err(text));
        prop_assert_eq!(given.edit().map(|_| ()).map_err(text), given.edit().map(|_| ()).map_err(text));
    }

    #[test]
    fn any_text_under_any_name_is_judged_and_only_what_was_said_is_blamed(
        said in prop::collection::vec((name(), any::<String>()), 0..6),
        structural in any::<bool>(),
    ) {
        let mut generate = GenerateRequest::builder("A hat").structural_rules(structural);
        let mut edit = EditRequest::builder("A hat", [ImageInput::bytes(PNG)]).structural_rules(structural);
        for (name, text) in &said {
            generate = generate.set(name, text);
            edit = edit.set(name, text);
        }
        for error in [generate.build().map(drop).err(), edit.build().map(drop).err()].into_iter().flatten() {
            is_a_refusal(&error);
            for violation in error.violations() {
                prop_assert!(said.iter().any(|(name, _)| name == violation.param()), "{} was not said", violation);
            }
        }
    }
}
