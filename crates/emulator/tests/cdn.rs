//! The CDN: another origin, ranges, and its faults.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use gptimage_emulator::{CdnFault, Cut, Emulator, Side};
use support::*;

const BYTES: &[u8] = b"0123456789";

/// An emulator and the address of a picture on its CDN.
async fn with_picture() -> (Emulator, String) {
    let emulator = Emulator::builder().canned(BYTES).start().await.unwrap();
    let response = generate(&emulator, &format!(r#"{{"model":"{MODEL}","prompt":"x"}}"#)).await;
    let url = response.json()["data"][0]["url"].as_str().unwrap().to_owned();
    (emulator, url)
}

#[tokio::test]
async fn a_picture_is_on_another_origin() {
    let (emulator, url) = with_picture().await;
    assert!(url.starts_with(emulator.cdn_url()) && url.ends_with(".png"));
    assert_ne!(authority(emulator.cdn_url()), authority(emulator.base_url()));
    let response = get(&url, "").await;
    assert_eq!((response.status, response.body.as_slice()), (200, BYTES));
    assert_eq!(response.header("content-type"), Some("image/png"));
    assert_eq!(response.header("content-length"), Some("10"));
    let etag = response.header("etag").unwrap();
    assert!(etag.starts_with('"') && etag.ends_with('"'));
    let recorded = emulator.requests().pop().unwrap();
    assert!(recorded.side == Side::Cdn && recorded.header("authorization").is_none());
    let missing = get(&format!("{}/generations/none.png", emulator.cdn_url()), "").await;
    assert_eq!((missing.status, missing.header("content-type")), (404, Some("text/html")));
}

#[tokio::test]
async fn ranges_are_served() {
    let (_emulator, url) = with_picture().await;
    let etag = get(&url, "").await.header("etag").unwrap().to_owned();
    for (headers, status, body, range) in [
        ("Range: bytes=3-\r\n".to_owned(), 206, "3456789", Some("bytes 3-9/10")),
        ("Range: bytes=3-4\r\n".to_owned(), 206, "34", Some("bytes 3-4/10")),
        (format!("Range: bytes=3-\r\nIf-Range: {etag}\r\n"), 206, "3456789", Some("bytes 3-9/10")),
        ("Range: bytes=3-\r\nIf-Range: \"other\"\r\n".to_owned(), 200, "0123456789", None),
    ] {
        let response = get(&url, &headers).await;
        assert_eq!((response.status, response.text().as_str()), (status, body), "{headers}");
        assert_eq!(response.header("content-range"), range);
        assert_eq!(response.header("etag"), Some(etag.as_str()));
    }
    let beyond = get(&url, "Range: bytes=10-\r\n").await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */10")));
}

#[tokio::test]
async fn it_fails_as_told() {
    let (emulator, url) = with_picture().await;
    emulator.cdn_fault(CdnFault::not_found(2));
    let statuses = [get(&url, "").await.status, get(&url, "").await.status, get(&url, "").await.status];
    assert_eq!(statuses, [404, 404, 200]);

    emulator.cdn_fault(CdnFault::status(403));
    let denied = get(&url, "").await;
    assert_eq!((denied.status, denied.header("content-type")), (403, Some("text/html")));

    emulator.cdn_fault(CdnFault::redirect("https://example.org/x\u{2603}"));
    emulator.clear_faults();
    emulator.cdn_fault(CdnFault::redirect("https://example.org/x"));
    let moved = get(&url, "").await;
    assert_eq!((moved.status, moved.header("location")), (302, Some("https://example.org/x")));

    emulator.cdn_fault(CdnFault::body(&b"<html>"[..]));
    let page = get(&url, "").await;
    assert_eq!((page.status, page.text().as_str(), page.header("content-type")), (200, "<html>", Some("image/png")));

    emulator.cdn_fault(CdnFault::ignore_range());
    assert_eq!(get(&url, "Range: bytes=3-\r\n").await.status, 200);

    emulator.cdn_fault(CdnFault::wrong_range(2));
    let wrong = get(&url, "Range: bytes=3-\r\n").await;
    assert_eq!((wrong.text().as_str(), wrong.header("content-range")), ("56789", Some("bytes 5-9/10")));
}

#[tokio::test]
async fn it_cuts_after_any_byte() {
    let (emulator, url) = with_picture().await;
    let request = format!("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &url[emulator.cdn_url().len()..]);
    let (whole, _) = exchange(&url, request.as_bytes()).await;
    for (cut, end) in [(Cut::Fin, End::Fin), (Cut::Rst, End::Reset)] {
        for offset in 0..whole.len() {
            emulator.cdn_fault(CdnFault::cut(offset as u64, cut));
            let (raw, ended) = exchange(&url, request.as_bytes()).await;
            assert_eq!((raw.len(), ended), (offset, end), "{cut:?} {offset}");
        }
    }
    emulator.cdn_fault(CdnFault::raw(&b"HTTP/1.1 200 OK\r\n\r\nendless?"[..]));
    assert!(exchange(&url, request.as_bytes()).await.0.ends_with(b"endless?"));
}
