//! Tests that each message gives advice that can work, and no other.

use super::*;
use crate::attempt_state::SendStage;
use crate::secret::ApiKey;
use crate::transport::decision::decide;
use crate::wire::Stated;

fn line(end: &AttemptEnd, stage: SendStage, priced: bool, retry_after: Option<u64>, reason: &str) -> String {
    let http_status = match end {
        AttemptEnd::Answered { status, .. } => Some(*status),
        _ => None,
    };
    let stated = if priced { Stated::Positive } else { Stated::Nothing };
    let decision = decide(end, stage, stated, false);
    let error = AttemptError {
        failure: Failure::of(reason),
        retry_after: retry_after.map(Duration::from_secs),
        ..AttemptError::new(end.clone(), reason)
    };
    error_message(&error, decision, http_status, "id-1")
}

fn answered(status: u16, body: &str) -> AttemptEnd {
    AttemptEnd::Answered {
        status,
        body: ErrorBody::parse(body.as_bytes(), &ApiKey::new("sk-0123456789", "a test").unwrap()),
    }
}

fn refused(status: u16, body: &str) -> String {
    line(&answered(status, body), SendStage::Sent, false, None, "")
}

const PAGE: &str = "<html><title>Sign in</title></html>";

#[test]
fn the_key_is_blamed_only_in_the_vendors_words() {
    let vendor = refused(403, r#"{"statusCode":403,"message":"Not this model"}"#);
    assert!(vendor.contains("Not this model") && vendor.contains("use another key"), "{vendor}");
    for body in ["error code: 1010", PAGE, "", r#"{"detail":"Forbidden"}"#, "<Error><Code>AccessDenied</Code></Error>"]
    {
        let line = refused(403, body);
        assert!(!line.contains("another key") && !line.contains("API key"), "{line}");
        assert!(line.contains("base URL"), "{line}");
    }
    assert!(refused(403, "error code: 1010").contains("error code: 1010"));
}

#[test]
fn each_refusal_says_what_can_help() {
    for (status, body, help) in [
        (401, r#"{"statusCode":401,"message":"No"}"#, "check the key"),
        (401, r#"{"error":{"message":"No"}}"#, "check the key, and that it belongs to this base URL"),
        (401, PAGE, "check the base URL"),
        (402, "", "top it up"),
        (404, PAGE, "a web page came, not the API: check the base URL"),
        (404, r#"{"error":{"message":"The model does not exist"}}"#, "no such model (404)"),
        (404, "404 page not found", "check model and base URL"),
        (405, PAGE, "check the base URL"),
        (405, "", "check the base URL"),
        (400, PAGE, "check the base URL"),
        (413, PAGE, "send smaller images, or fewer"),
        (415, "", "check the images' formats"),
        (407, "", "proxy"),
        (431, "", "headers"),
        (429, "", "try again later"),
        (429, r#"{"error":{"code":"insufficient_quota","message":"x"}}"#, "top it up"),
    ] {
        let line = refused(status, body);
        assert!(line.contains(help), "{status} {body}: {line}");
    }
    for (status, body) in [(400, r#"{"message":"n is too large"}"#), (422, ""), (413, ""), (402, ""), (404, PAGE)] {
        let line = refused(status, body);
        assert!(!line.contains("again"), "a repeat is useless: {line}");
        assert!(!line.ends_with([' ', ';']), "{line}");
    }
}

#[test]
fn beside_a_stated_price_nobody_is_told_to_try_again() {
    for (status, body) in [(429, ""), (400, "no"), (401, "no"), (403, PAGE), (402, ""), (404, ""), (408, ""), (503, "")]
    {
        for stage in [SendStage::Sent, SendStage::Unsent] {
            let line = line(&answered(status, body), stage, true, Some(3), "");
            assert!(!line.contains("try again") && !line.contains("nothing was charged"), "{status}: {line}");
            assert!(line.contains("charged") && line.contains("id-1"), "{status}: {line}");
        }
    }
}

#[test]
fn a_limit_says_when_to_try_again() {
    let wait = |seconds| line(&answered(429, ""), SendStage::Sent, false, seconds, "");
    assert!(wait(Some(2)).contains("try again after 2 s"));
    assert!(wait(Some(0)).contains("try again after 1 s"));
    assert!(wait(None).contains("try again later"));
}

#[test]
fn what_was_not_delivered_says_what_to_look_at() {
    for (reason, help) in [
        ("invalid peer certificate: UnknownIssuer", "whose certificates are trusted"),
        ("received corrupt message of type InvalidContentType", "speak TLS"),
        ("failed to lookup address information: Name or service not known", "check the base URL and the network"),
        ("Connection refused (os error 111)", "check the base URL and the network, or try again later"),
        ("unsuccessful tunnel", "check the proxy"),
        ("no connection came about in time", "try again later"),
    ] {
        let line = line(&AttemptEnd::NotConnected { permanent: false }, SendStage::Unsent, false, None, reason);
        assert!(line.contains("nothing was charged") && line.contains(help), "{line}");
    }
    assert!(line(&answered(503, ""), SendStage::Unsent, false, None, "").contains("try again later"));
}

#[test]
fn a_download_says_why_and_not_more() {
    let gone = line(
        &AttemptEnd::Download,
        SendStage::Located,
        false,
        None,
        "picture 1: its url answers 410: the link has expired",
    );
    assert!(gone.ends_with("the link has expired") && gone.contains("paid for") && gone.contains("id-1"), "{gone}");
    let late = line(&AttemptEnd::Deadline, SendStage::Located, false, None, "");
    assert!(late.contains("fetch it again, it is free"), "{late}");
}
