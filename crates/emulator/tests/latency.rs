//! Slow pictures and addresses that expire.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use gptimage_emulator::{Emulator, EmulatorBuilder, Fault};
use support::*;
use tokio::io::AsyncWriteExt;

/// So long that no test waits for it.
const LONG: Duration = Duration::from_secs(86_400);

fn builder() -> EmulatorBuilder {
    Emulator::builder().canned(&b"picture"[..])
}

#[tokio::test]
async fn a_slow_picture_is_made_and_paid_before_it_comes() {
    let emulator = builder().latency(LONG..=LONG).start().await.unwrap();
    let mut socket = connect(emulator.base_url()).await;
    socket.write_all(&generate_request(&emulator)).await.unwrap();
    while emulator.charges() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(socket.try_read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    // Its client leaves: nothing more can happen.
    drop(socket);
    emulator.wait_idle().await;
    let entry = emulator.ledger().pop().unwrap();
    assert!(entry.generated && entry.charge.is_some() && !entry.delivered);
    // The gateway's log knows of it when its answer would have gone out.
    let url = format!("{}/logs", emulator.base_url().replace("/v1", "/v2"));
    let logs = get(&url, "Authorization: Bearer any\r\n").await.json();
    assert_eq!(logs["pagination"]["total"], 0);
}

#[tokio::test]
async fn what_is_refused_is_refused_at_once() {
    let emulator = builder().latency(LONG..=LONG).start().await.unwrap();
    assert_eq!(generate(&emulator, r#"{"prompt":"no model"}"#).await.status, 400);
    emulator.fault(Fault::answer(503));
    assert_eq!(call(&emulator, &generate_request(&emulator)).await.status, 503);
}

#[tokio::test]
async fn a_slow_picture_comes() {
    let emulator = builder().latency(Duration::from_millis(1)..=Duration::from_millis(3)).start().await.unwrap();
    for _ in 0..5 {
        assert_eq!(call(&emulator, &generate_request(&emulator)).await.status, 200);
    }
    // A latency is one more pause: cuts behind it are exact.
    emulator.fault(Fault::cut_response(20, gptimage_emulator::Cut::Fin));
    assert_eq!(exchange(emulator.base_url(), &generate_request(&emulator)).await.0.len(), 20);
    emulator.wait_idle().await;
    assert_eq!(emulator.ledger().iter().filter(|entry| entry.delivered).count(), 5);
}

#[tokio::test]
async fn an_address_expires() {
    let request = format!(r#"{{"model":"{MODEL}","prompt":"x"}}"#);
    let emulator = builder().url_expiry(LONG).start().await.unwrap();
    let response = generate(&emulator, &request).await.json();
    let url = response["data"][0]["url"].as_str().unwrap();
    assert_eq!(get(url, "").await.status, 200);
    let settings = format!("{}/settings", emulator.control_url());
    assert_eq!(post(&settings, r#"{"url_expiry": "0s"}"#).await.status, 200);
    let expired = get(url, "").await;
    assert_eq!((expired.status, expired.header("content-type")), (403, Some("text/html")));
    assert_eq!(post(&settings, r#"{"url_expiry": null}"#).await.status, 200);
    assert_eq!(get(url, "").await.status, 200);
}
