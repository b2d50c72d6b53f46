//! A generate request's JSON, parsed back.

use gptimage_core::{Client, Config, GenerateRequest};
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::given::{Given, given};

const KEY: &str = "sk-properties-0123456789";

fn client() -> Client {
    // Nothing is sent.
    Client::new(Config::new().api_key(KEY).base_url("http://127.0.0.1:9").no_proxy()).unwrap()
}

/// What was said, as the JSON that it must become.
fn intended(given: &Given) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("model".to_owned(), given.model().into());
    fields.insert("prompt".to_owned(), given.sent_prompt().into());
    for (name, text) in &given.set {
        let value = match *name {
            "n" | "output_compression" => text.trim().parse::<i64>().unwrap().into(),
            _ => text.as_str().into(),
        };
        fields.insert((*name).to_owned(), value);
    }
    let known = !given.structural_rules && matches!(given.model(), "openai/gpt-image-2" | "gpt-image-2");
    if let Some(format) = given.target_format().filter(|format| known && *format != "png") {
        fields.insert("output_format".to_owned(), format.into());
    }
    fields.extend(given.extra.clone());
    fields
}

/// Head and body of a dry run.
fn dry_run(client: &Client, request: &GenerateRequest) -> (String, String) {
    let text = client.generate(request).dry_run().unwrap();
    let (head, body) = text.split_once("\n\n").unwrap();
    (head.to_owned(), body.to_owned())
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
        let (client, request) = (client(), request.unwrap());
        let (head, body) = dry_run(&client, &request);
        let parsed: Value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(&parsed, &Value::Object(intended(&given)));
        // No field twice: written again by another writer it is as long.
        prop_assert_eq!(serde_json::to_string(&parsed).unwrap().len(), body.len());
        let length = format!("content-length: {}", body.len());
        prop_assert!(head.starts_with("POST /v1/images/generations HTTP/1.1\n"), "{}", head);
        prop_assert!(head.lines().any(|line| line == length), "{}", head);
        prop_assert!(!head.contains(KEY));
        prop_assert_eq!((head, body), dry_run(&client, &given.generate().unwrap()));
    }
}
