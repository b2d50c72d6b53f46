//! Tests of scripts, byte for byte, as the peer and the ledger see them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "../../../crates/emulator/tests/support/http.rs"]
mod http;

use gptimage_emulator::{Billing, LedgerEntry, Side};
use gptimage_torture::scripted::ScriptedServer;
use http::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BODY: &str = r#"{"model":"openai/gpt-image-2","prompt":"A crown"}"#;

fn request() -> Vec<u8> {
    let head = "POST /v1/images/generations HTTP/1.1\r\nx-client-request-id: id-1\r\nauthorization: Bearer sk\r\n";
    format!("{head}content-length: {}\r\n\r\n{BODY}", BODY.len()).into_bytes()
}

/// Sends a request and reads until the connection ends.
async fn play(server: &ScriptedServer, script: &str) -> (Vec<u8>, End, LedgerEntry) {
    server.script(Side::Api, script.parse().unwrap());
    let (raw, end) = exchange(server.base_url(), &request()).await;
    server.wait_idle().await;
    (raw, end, server.ledger().pop().unwrap_or_else(|| panic!("{script}: no entry")))
}

async fn server(billing: Billing) -> ScriptedServer {
    ScriptedServer::builder().billing(billing).start().await.unwrap()
}

#[tokio::test]
async fn a_request_is_cut_after_any_byte() {
    let (length, head) = (request().len(), request().len() - BODY.len());
    for billing in [Billing::Documented, Billing::Pessimistic] {
        let server = server(billing).await;
        for (cut, expected) in [("fin", End::Fin), ("rst", End::Reset)] {
            for offset in "POST /v1/images/generations HTTP/1.1\r\n".len()..=length {
                let (raw, end, entry) = play(&server, &format!("read {offset}; cut {cut}")).await;
                assert_eq!((raw.as_slice(), end), (&b""[..], expected), "{offset} {cut}");
                assert_eq!(entry.bytes_received, offset.saturating_sub(head) as u64, "{offset} {cut}");
                assert_eq!(entry.arrived_whole, offset == length, "{offset} {cut}");
                let paid = offset == length && billing == Billing::Pessimistic;
                assert_eq!((entry.charge.is_some(), entry.generated), (paid, paid), "{offset} {cut}");
                assert!(!entry.delivered && entry.status.is_none());
            }
        }
    }
}

#[tokio::test]
async fn an_answer_is_sent_to_any_byte_and_charged_all_the_same() {
    for billing in [Billing::Documented, Billing::Pessimistic] {
        let server = server(billing).await;
        let (whole, _, entry) = play(&server, "read whole; send image").await;
        assert!(entry.delivered && entry.charge.is_some());
        let ids = "01234567-89ab-cdef-0123-456789abcdef".len();
        assert_eq!(Response::parse(&whole).header("x-inference-id").unwrap().len(), ids);
        for offset in 0..whole.len() {
            let (raw, end, entry) = play(&server, &format!("read whole; send image ..{offset}; cut rst")).await;
            assert_eq!((raw.len(), end), (offset, End::Reset));
            assert!(entry.charge.is_some() && entry.generated && !entry.delivered, "{offset}: {entry:?}");
            assert_eq!(entry.status, Some(200));
        }
        let (halves, _, entry) = play(&server, "read whole; send image ..100; pause 5ms; send image 100..").await;
        assert_eq!(halves.len(), whole.len());
        assert!(entry.delivered);
    }
}

#[tokio::test]
async fn charges_follow_what_was_answered_and_what_arrived() {
    for (script, documented, pessimistic) in [
        ("read whole; send status 400 problem", false, false),
        ("read whole; send status 500 problem", false, true),
        ("read whole; send status 408 html; cut rst", false, true),
        ("read whole; send 'HTTP/1.1 100 Continue\\r\\n\\r\\n'; send status 404 empty", false, false),
        ("read whole; send 'HTTP/1.1 4'; send '04 Not Found\\r\\n\\r\\n'", false, false),
        ("read whole; send 'no HTTP'", false, true),
        ("read whole; repeat 'no HTTP'", false, true),
        ("read 150; send status 500 html", false, false),
        ("read 150; send status 500 html; read whole", false, true),
        ("read 150; send image; read whole", true, true),
        ("read 150; send status 401 problem; half-close; read whole", false, false),
    ] {
        for (billing, charged) in [(Billing::Documented, documented), (Billing::Pessimistic, pessimistic)] {
            let server = server(billing).await;
            server.script(Side::Api, script.parse().unwrap());
            let mut socket = tokio::net::TcpStream::connect(authority(server.base_url())).await.unwrap();
            socket.write_all(&request()).await.unwrap();
            socket.shutdown().await.unwrap();
            // A single read, because one of the responses never ends.
            let mut answer = vec![0; 1000];
            let _ = socket.read(&mut answer).await;
            server.wait_idle().await;
            let entry = server.ledger().pop().unwrap();
            assert_eq!(entry.charge.is_some(), charged, "{billing:?} {script}: {entry:?}");
        }
    }
}

#[tokio::test]
async fn marks_and_connections_are_counted_and_what_came_is_kept() {
    let server = server(Billing::Documented).await;
    let (_, _, entry) = play(&server, "mark; read head; mark; read whole; send link").await;
    server.marked(2).await;
    assert_eq!(entry.client_request_id.as_deref(), Some("id-1"));
    assert_eq!((server.connections(Side::Api), server.connections(Side::Cdn)), (1, 0));
    assert_eq!(server.received(Side::Api), request());
    // A range of the image, as a resumed download asks for it.
    let ask = |range: &str| format!("GET /picture.png HTTP/1.1\r\n{range}\r\n").into_bytes();
    let (whole, _) = exchange(server.cdn_url(), &ask("")).await;
    let (part, _) = exchange(server.cdn_url(), &ask("range: bytes=10-\r\n")).await;
    let (whole, part) = (Response::parse(&whole), Response::parse(&part));
    assert_eq!((whole.status, part.status, &whole.body[10..]), (200, 206, &part.body[..]));
}
