//! `GET /v2/logs`: every parameter, pages, and what a row says.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use gptimage_emulator::{Billing, Cut, Emulator, EmulatorBuilder, ErrorBody, Fault};
use serde_json::Value;
use support::*;

fn builder() -> EmulatorBuilder {
    Emulator::builder().key("sk-test").canned(&b"picture"[..])
}

async fn logs(emulator: &Emulator, query: &str) -> Response {
    let url = format!("{}/logs{query}", emulator.base_url().replace("/v1", "/v2"));
    get(&url, "Authorization: Bearer sk-test\r\nX-Client-Request-Id: asks:1\r\n").await
}

async fn rows(emulator: &Emulator, query: &str) -> Vec<Value> {
    let response = logs(emulator, query).await;
    assert_eq!(response.status, 200, "{query} {}", response.text());
    response.json()["data"].as_array().unwrap().clone()
}

fn with_id(emulator: &Emulator, id: &str) -> Vec<u8> {
    let request = String::from_utf8(generate_request(emulator)).unwrap();
    request.replacen("\r\n\r\n", &format!("\r\nX-Client-Request-Id: {id}\r\n\r\n"), 1).into_bytes()
}

#[tokio::test]
async fn a_row_says_what_its_answer_said() {
    let emulator = builder().start().await.unwrap();
    let response = call(&emulator, &with_id(&emulator, "order:1")).await;
    let page = logs(&emulator, "").await;
    // The amount's own digits.
    assert!(page.text().contains(r#""cost":{"usd":0.0536705,"credits":107341}"#), "{}", page.text());
    assert_eq!(page.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(page.header("x-client-request-id"), Some("asks:1"));
    let page = page.json();
    let row = &page["data"][0];
    assert_eq!((row["status"].as_str(), row["model"].as_str()), (Some("succeeded"), Some(MODEL)));
    assert_eq!(row["request_id"].as_str(), response.header("x-request-id"));
    assert_eq!(row["inference_id"].as_str(), response.header("x-inference-id"));
    assert_eq!(row["client_request_id"], "order:1");
    assert!(row["created"].as_str().unwrap().ends_with('Z') && row["origin"].is_string());
    let tokens = ["input", "output", "total"].map(|kind| row["tokens"][kind].as_u64().unwrap());
    assert!(tokens[0] > 0 && tokens[0] + tokens[1] == tokens[2]);
    assert_eq!(page["pagination"], serde_json::json!({"limit": 20, "offset": 0, "total": 1, "has_more": false}));
}

#[tokio::test]
async fn failures_cost_nothing_and_what_never_arrived_is_unknown() {
    let emulator = builder().billing(Billing::Pessimistic).start().await.unwrap();
    let request = generate_request(&emulator);
    // Failed and free; charged though its answer was a 503; charged though no answer came; never arrived; no account.
    emulator.fault(Fault::answer(400).body(ErrorBody::documented("no")));
    assert_eq!(call(&emulator, &request).await.status, 400);
    emulator.fault(Fault::answer(503));
    assert_eq!(call(&emulator, &with_id(&emulator, "not kept")).await.status, 503);
    emulator.fault(Fault::cut_request(u64::MAX, Cut::Fin));
    exchange(emulator.base_url(), &request).await;
    emulator.fault(Fault::cut_request(request.len() as u64 - 1, Cut::Fin));
    exchange(emulator.base_url(), &request).await;
    let stranger = String::from_utf8(request).unwrap().replace("Bearer sk-test", "Bearer sk-other");
    assert_eq!(call(&emulator, stranger.as_bytes()).await.status, 401);
    emulator.wait_idle().await;
    assert_eq!(emulator.ledger().len(), 5);

    let rows = rows(&emulator, "").await;
    let shown: Vec<_> = rows.iter().map(|row| (row["status"].as_str().unwrap(), &row["cost"]["credits"])).collect();
    assert_eq!(shown, [("succeeded", &107_341.into()), ("succeeded", &107_341.into()), ("failed", &0.into())]);
    // No answer brought it an id; the id that was sent is not one.
    assert!(rows[0]["request_id"].is_null() && rows[1]["request_id"].is_string());
    assert!(rows.iter().all(|row| row["client_request_id"].is_null() && row["inference_id"].is_string()));
    assert_eq!((&rows[2]["cost"]["usd"], &rows[2]["tokens"]["total"]), (&0.into(), &0.into()));
}

#[tokio::test]
async fn pages_are_cut_from_the_newest() {
    let emulator = builder().start().await.unwrap();
    for index in 0..5 {
        call(&emulator, &with_id(&emulator, &format!("id-{index}"))).await;
    }
    for (query, ids, has_more) in [
        ("?limit=2", &["id-4", "id-3"][..], true),
        ("?limit=2&offset=2", &["id-2", "id-1"], true),
        ("?limit=2&offset=4", &["id-0"], false),
        ("?limit=2&offset=5", &[], false),
        ("?limit=5", &["id-4", "id-3", "id-2", "id-1", "id-0"], false),
        ("?limit=100&offset=18446744073709551615", &[], false),
        ("?unknown=ignored&offset=4", &["id-0"], false),
    ] {
        let page = logs(&emulator, query).await.json();
        let found: Vec<_> =
            page["data"].as_array().unwrap().iter().map(|row| row["client_request_id"].clone()).collect();
        assert_eq!(found, ids, "{query}");
        assert_eq!((&page["pagination"]["total"], &page["pagination"]["has_more"]), (&5.into(), &has_more.into()));
    }
}

#[tokio::test]
async fn rows_are_chosen() {
    let emulator = builder().start().await.unwrap();
    call(&emulator, &generate_request(&emulator)).await;
    emulator.fault(Fault::answer(500));
    call(&emulator, &generate_request(&emulator)).await;
    for (query, found) in [
        ("?period=24h", 2),
        ("?period=30m&limit=1", 1),
        ("?period=7d&status=failed", 1),
        ("?status=succeeded", 1),
        ("?model=openai/gpt-image-2", 2),
        ("?model=openai%2Fgpt-image-2", 2),
        ("?model=gpt-image-2", 2),
        ("?model=dall-e-3", 0),
        ("?start=2020-01-01", 2),
        ("?start=2020-01-01T00:00:00Z&end=2999-12-31", 2),
        ("?start=2020-01-01T02:00:00%2B02:00", 2),
        ("?start=2999-01-01", 0),
        ("?end=2020-01-01T00:00:00.000Z", 0),
    ] {
        assert_eq!(rows(&emulator, query).await.len(), found, "{query}");
    }
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let emulator = builder().start().await.unwrap();
    for (query, fields) in [
        ("?limit=0", &["limit"][..]),
        ("?limit=101", &["limit"]),
        ("?limit=ten&offset=-1", &["limit", "offset"]),
        ("?status=paid", &["status"]),
        ("?period=1y", &["period"]),
        ("?period=0h", &["period"]),
        ("?period=", &["period"]),
        ("?start=yesterday&end=2026-13-01", &["start", "end"]),
        ("?start=2026-02-01&end=2026-01-01", &["end"]),
        ("?period=24h&start=2026-01-01", &["period"]),
    ] {
        let response = logs(&emulator, query).await;
        assert_eq!(
            (response.status, response.issue_paths()),
            (400, fields.iter().map(ToString::to_string).collect()),
            "{query}"
        );
    }
    let url = format!("{}/logs", emulator.base_url().replace("/v1", "/v2"));
    assert_eq!(get(&url, "").await.status, 401);
}

#[tokio::test]
async fn the_log_may_be_asked_so_often() {
    let emulator = builder().start().await.unwrap();
    for _ in 0..200 {
        assert_eq!(logs(&emulator, "?limit=1").await.status, 200);
    }
    let refused = logs(&emulator, "?limit=1").await;
    assert_eq!(
        (refused.status, refused.json()["error"]["data"]["kind"].as_str()),
        (429, Some("err_too_many_requests"))
    );
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
}

#[tokio::test]
async fn rows_land_late_if_so_set() {
    // Longer than any test: what is there with a lag is there because the lag was taken away again.
    let emulator = builder().log_lag(Duration::from_secs(86_400)).start().await.unwrap();
    call(&emulator, &generate_request(&emulator)).await;
    emulator.wait_idle().await;
    assert!(rows(&emulator, "").await.is_empty());
    let settings = post(&format!("{}/settings", emulator.control_url()), r#"{"log_lag": 0}"#).await;
    assert_eq!(settings.status, 200);
    assert_eq!(rows(&emulator, "").await.len(), 1);
}
