//! A generate request's JSON, parsed back.

use gptimage_model::wire::{Body, BodyPart};
use gptimage_model::{PARAMETERS, Request};
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::given::{Given, given};

/// What was said, as the JSON that it must become.
fn intended(given: &Given) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("model".to_owned(), given.model().into());
    fields.insert("prompt".to_owned(), given.sent_prompt().into());
    for (name, text) in &given.set {
        let is_number = PARAMETERS.iter().any(|known| known.name == *name && known.integer);
        let value = if is_number { text.trim().parse::<i64>().unwrap().into() } else { text.as_str().into() };
        fields.insert((*name).to_owned(), value);
    }
    let known = !given.structural_rules && matches!(given.model(), "openai/gpt-image-2" | "gpt-image-2");
    if let Some(format) = given.target_format().filter(|format| known && *format != "png") {
        fields.insert("output_format".to_owned(), format.into());
    }
    fields.extend(given.extra.clone());
    fields
}

fn body(request: &Request) -> Body {
    Body::of(request, "only forms have a boundary").unwrap()
}

fn text(body: &Body) -> String {
    match body.parts.as_slice() {
        [BodyPart::Text(text)] => String::from_utf8(text.to_vec()).unwrap(),
        other => panic!("JSON is one text: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 800,
        failure_persistence: None,
        max_global_rejects: 100_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_valid_request_is_exactly_the_fields_that_were_set(given in given()) {
        let request = given.generate();
        prop_assume!(request.is_ok());
        let body = body(&request.unwrap());
        let json = text(&body);
        let parsed: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&parsed, &Value::Object(intended(&given)));
        // No field twice: written again by another writer it is as long.
        prop_assert_eq!(serde_json::to_string(&parsed).unwrap().len(), json.len());
        prop_assert_eq!(body.len(), json.len() as u64);
        prop_assert_eq!(&body.content_type, "application/json");
        prop_assert_eq!(json, text(&self::body(&given.generate().unwrap())));
    }
}
