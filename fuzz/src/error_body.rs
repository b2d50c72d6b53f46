//! Error bodies: whatever they hold, the messages made of them are short, printable and without the key.

use gptimage_core::internals::{self, ErrorBodySummary};
use gptimage_core::printable;

const KEY: &str = "sk-key-of-the-target";

/// Tests the bytes as an error body.
pub fn error_body(data: &[u8]) {
    let ErrorBodySummary { message, request_id, vendor_envelope, moderation, out_of_credits } =
        internals::error_body(data, KEY).unwrap();
    for text in message.iter().chain(&request_id) {
        assert_eq!(printable(text), *text, "it is printable, and on one line");
        assert!(!text.contains(KEY), "the key is not repeated");
    }
    assert!(message.as_ref().is_none_or(|text| text.chars().count() <= 1001), "it is bounded");
    assert!(request_id.as_ref().is_none_or(|id| id.chars().count() <= 10 * 129), "it is bounded");
    if !matches!(serde_json::from_slice(data), Ok(serde_json::Value::Object(_))) {
        assert!(!vendor_envelope, "what is no JSON object, whole, is nothing of the vendor's");
    }
    assert!(message.is_some() || !moderation, "who says nothing says nothing of moderation");
    // Not checked: it may also follow from a code, which the message does not always repeat.
    let _ = out_of_credits;
}
