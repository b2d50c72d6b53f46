//! The key goes to one origin, and into no text.

use gptimage_core::{Client, ErrorKind};
use gptimage_emulator::{CdnFault, ErrorBody, Fault, Side};

use crate::common::{config, pessimistic, request, request_by_url};

const CANARY: &str = "sk-canary-5ef1";

#[tokio::test]
async fn downloads_carry_no_credentials() {
    let emulator = pessimistic().await;
    let config = config(&emulator).api_key(CANARY).header("X-Team", CANARY);
    config.build().unwrap().generate(&request_by_url()).send().await.unwrap();
    let seen = emulator.requests();
    let carries = |request: &&gptimage_emulator::RecordedRequest| format!("{request:?}").contains(CANARY);
    assert_eq!(seen.iter().filter(|request| request.side == Side::Api).filter(carries).count(), 1);
    // Threat: other-origin
    assert_eq!(seen.iter().filter(|request| request.side == Side::Cdn).filter(carries).count(), 0);
    let download = seen.iter().find(|request| request.side == Side::Cdn).unwrap();
    for header in ["authorization", "cookie", "referer", "x-client-request-id", "x-team"] {
        assert_eq!(download.header(header), None);
    }
}

#[tokio::test]
async fn nothing_that_is_shown_holds_the_key() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(500).body(ErrorBody::documented(format!("{CANARY}x\u{1b}[31m\r\n{CANARY}"))));
    emulator.cdn_fault(CdnFault::status(403));
    let config = config(&emulator).api_key(CANARY).header("X-Team", CANARY);
    let mut shown = vec![format!("{config:?}")];
    let client = config.build().unwrap();
    shown.push(format!("{client:?}"));
    shown.push(format!("{:?}", client.generate(&request())));
    shown.push(client.generate(&request()).dry_run().unwrap());
    for text in &shown {
        // Threat: key-printed
        assert!(!text.contains(CANARY), "{text}");
    }
    // What the server says is its own affair, but it stays one printable line.
    let error = client.generate(&request()).send().await.unwrap_err();
    assert!(!error.to_string().chars().any(char::is_control), "{error}");
    let error = client.generate(&request_by_url()).send().await.unwrap_err();
    for text in [error.to_string(), format!("{error:?}"), serde_json::to_string(&error).unwrap()] {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[test]
fn what_cannot_be_sent_is_refused_without_being_repeated() {
    for key in [format!("{CANARY}\n{CANARY}"), format!("{CANARY} x"), format!("{CANARY}é"), "  ".to_owned()] {
        let error = Client::builder().api_key(key).build().unwrap_err();
        // Threat: header-injection
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
    }
    for (name, value) in [
        ("authorization", CANARY),
        ("Content-Length", "1"),
        ("a b", "x"),
        ("x", "a\nb"),
        // Each could make a paid answer unreadable, or send a password astray.
        ("Accept-Encoding", "gzip"),
        ("accept", "text/event-stream"),
        ("TE", "trailers"),
        ("Trailer", "x"),
        ("Upgrade", "h2c"),
        ("Range", "bytes=0-1"),
        ("If-None-Match", "*"),
        ("Prefer", "respond-async"),
        ("Proxy-Authorization", CANARY),
    ] {
        let error = Client::builder().api_key("sk").header(name, value).build().unwrap_err();
        // Threat: callers-header
        assert_eq!(error.kind(), ErrorKind::Config, "{name}");
        assert!(!format!("{error:?}").contains(CANARY));
    }
    let error = Client::builder().api_key("sk").proxy(format!("::{CANARY}@")).build().unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
}
