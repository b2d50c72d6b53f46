//! Error bodies: whatever they hold, what is said of them is short, printable and without the key.

use gptimage_core::internals;
use gptimage_core::printable;

const KEY: &str = "sk-key-of-the-target";

/// The bytes are an error body.
pub fn error_body(data: &[u8]) {
    let (message, [vendor, moderation, credits], request_id) = internals::error_body(data, KEY).unwrap();
    for text in message.iter().chain(&request_id) {
        assert_eq!(printable(text), *text, "it is printable, and on one line");
        assert!(!text.contains(KEY), "the key is not repeated");
    }
    // Escaped, a character is at most ten.
    assert!(message.as_ref().is_none_or(|text| text.chars().count() <= 10 * 501), "it is bounded");
    assert!(request_id.as_ref().is_none_or(|id| id.chars().count() <= 10 * 129), "it is bounded");
    if !matches!(serde_json::from_slice(data), Ok(serde_json::Value::Object(_))) {
        assert_eq!((message, request_id), (None, None), "what is no JSON object says nothing");
        assert!(!(vendor || moderation || credits), "what is no JSON object proves nothing");
    }
}
