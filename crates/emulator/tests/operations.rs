//! Both operations, the account, keys and routes: what a client sees when nothing goes wrong.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use bytes::Bytes;
use gptimage_emulator::{Emulator, Operation, Side, StartError};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SMALL: &[u8] = b"not a picture, but nobody looks";

async fn canned() -> Emulator {
    Emulator::builder().key("sk-test").canned(SMALL).start().await.unwrap()
}

#[tokio::test]
async fn generate_answers_like_the_gateway() {
    let emulator = canned().await;
    let body = format!(r#"{{"model":"{MODEL}","prompt":"A crown","response_format":"b64_json","unknown":1}}"#);
    let extra = "X-Client-Request-Id: test:1\r\nConnection: close\r\n";
    let head = head(&emulator, "POST", "/v1/images/generations", "application/json", body.len(), extra);
    let request = [head.as_bytes(), body.as_bytes()].concat();
    let response = call(&emulator, &request).await;

    assert_eq!(response.status, 200);
    assert_eq!(picture(&response), SMALL);
    let json = response.json();
    assert!(json["created"].as_u64().unwrap() > 1_700_000_000);
    assert!(json["data"][0]["url"].is_null() && json["data"][0]["revised_prompt"].is_null());
    assert!(json["usage"].is_null() && json["size"].is_null());
    assert!(response.text().contains(r#""meta":{"usage":{"credits_used":107341,"usd_spent":0.0536705}}"#));
    assert_eq!(response.header("x-client-request-id"), Some("test:1"));
    assert_eq!(response.header("x-aimlapi-credits-used"), Some("107341"));
    assert_eq!(response.header("x-aimlapi-usd-spent"), Some("0.0536705"));
    assert_eq!(response.header("x-request-id").unwrap().len(), 36);

    emulator.wait_idle().await;
    let [entry] = &emulator.ledger()[..] else { panic!("one entry") };
    assert_eq!(entry.operation, Operation::Generate);
    assert_eq!(entry.client_request_id.as_deref(), Some("test:1"));
    assert_eq!(entry.prompt.as_deref(), Some("A crown"));
    assert_eq!(entry.inference_id.as_deref(), response.header("x-inference-id"));
    assert_eq!((entry.seq, entry.status, entry.images), (1, Some(200), 1));
    assert!(entry.authorized && entry.arrived_whole && entry.generated && entry.delivered);
    assert_eq!(entry.bytes_received, body.len() as u64);
    assert_eq!(entry.charge.unwrap().usd(), "0.0536705");
    assert_eq!(emulator.balance(), "999.9463295");
    assert_eq!((emulator.charges(), emulator.connections()), (1, 1));

    let [recorded] = &emulator.requests()[..] else { panic!("one request") };
    assert_eq!(
        (recorded.side, recorded.method.as_str(), recorded.target.as_str()),
        (Side::Api, "POST", "/v1/images/generations")
    );
    assert_eq!(recorded.body.as_deref(), Some(body.as_bytes()));
    assert_eq!(recorded.header("authorization"), Some("Bearer sk-test"));
}

#[tokio::test]
async fn edit_takes_images_in_every_spelling() {
    let emulator = canned().await;
    let image = png(8, 8, |_, _| [1, 2, 3, 255]);
    for names in [vec!["image"], vec!["image[]"], vec!["image", "image"], vec!["image[]", "image[]", "image[]"]] {
        let form = names
            .iter()
            .fold(Form::edit().text("n", "2"), |form, name| form.file(name, "image-0.png", "image/png", &image));
        let response = call(&emulator, &form.request(&emulator)).await;
        assert_eq!(response.status, 200, "{names:?} {}", response.text());
        assert_eq!(response.json()["data"].as_array().unwrap().len(), 2);
        assert_eq!(response.header("x-aimlapi-credits-used"), Some("380900"));
        emulator.wait_idle().await;
        let entry = emulator.ledger().pop().unwrap();
        assert_eq!((entry.operation, entry.images, entry.input_images), (Operation::Edit, 2, names.len() as u32));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_edit_is_read_too() {
    let emulator = canned().await;
    let plain = Form::edit().file("image", "a.png", "image/png", &png(8, 8, |_, _| [1, 2, 3, 255])).request(&emulator);
    let split = plain.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let body = &plain[split..];
    let head = String::from_utf8(plain[..split].to_vec()).unwrap();
    let mut request =
        head.replace(&format!("Content-Length: {}", body.len()), "Transfer-Encoding: chunked").into_bytes();
    for chunk in body.chunks(100) {
        request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        request.extend_from_slice(chunk);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(call(&emulator, &request).await.status, 200);
    emulator.wait_idle().await;
    let entry = emulator.ledger().pop().unwrap();
    assert!(entry.arrived_whole && entry.delivered);
    assert_eq!(entry.bytes_received, body.len() as u64);
    assert_eq!(emulator.requests()[0].body.as_deref(), Some(body));
}

#[tokio::test]
async fn paths_are_found_with_and_without_version_and_slash() {
    let emulator = canned().await;
    let body = format!(r#"{{"model":"{MODEL}","prompt":"x"}}"#);
    for (path, method, status) in [
        ("/images/generations", "POST", 200),
        ("/v1/images/generations/", "POST", 200),
        ("/images/generations/?a=b", "POST", 200),
        ("/v1/images/generations", "PUT", 405),
        ("/v1/images/variations", "POST", 404),
        ("/v2/billing", "POST", 405),
    ] {
        let head = head(&emulator, method, path, "application/json", body.len(), "Connection: close\r\n");
        let response = call(&emulator, &[head.as_bytes(), body.as_bytes()].concat()).await;
        assert_eq!(response.status, status, "{method} {path}");
    }
    emulator.wait_idle().await;
    assert_eq!(emulator.charges(), 3);
    assert_eq!(emulator.ledger().len(), 3, "only paid routes are in the ledger");
}

#[tokio::test]
async fn a_connection_serves_many_calls() {
    let emulator = canned().await;
    let body = format!(r#"{{"model":"{MODEL}","prompt":"x"}}"#);
    let head = head(&emulator, "POST", "/v1/images/generations", "application/json", body.len(), "");
    let one = [head.as_bytes(), body.as_bytes()].concat();
    let mut socket = connect(emulator.base_url()).await;
    for _ in 0..3 {
        socket.write_all(&one).await.unwrap();
        let mut raw = Vec::new();
        while !raw.ends_with(b"}}}") {
            assert_ne!(socket.read_buf(&mut raw).await.unwrap(), 0);
        }
        assert_eq!(Response::parse(&raw).status, 200);
    }
    // All at once, too: the next is not judged before the last is answered.
    let closing = String::from_utf8(one.clone()).unwrap().replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1);
    socket.write_all(&[one.as_slice(), closing.as_bytes()].concat()).await.unwrap();
    let (raw, end) = read_all(&mut socket).await;
    assert_eq!((String::from_utf8_lossy(&raw).matches("HTTP/1.1 200 OK").count(), end), (2, End::Fin));
    emulator.wait_idle().await;
    assert!(emulator.ledger().iter().all(|entry| entry.delivered && entry.charge.is_some()));
    assert_eq!((emulator.charges(), emulator.connections()), (5, 1));
}

#[tokio::test]
async fn keys_are_checked() {
    let emulator = canned().await;
    for authorization in ["", "Authorization: Bearer sk-wrong\r\n", "Authorization: Basic sk-test\r\n"] {
        let billing = get(&format!("{}/billing", emulator.base_url().replace("/v1", "/v2")), authorization).await;
        assert_eq!(billing.status, 401);
        assert_eq!(billing.header("content-type"), Some("application/problem+json; charset=utf-8"));
        let json = billing.json();
        assert_eq!(
            (json["status"].as_u64(), json["error"]["data"]["kind"].as_str()),
            (Some(401), Some("err_unauthorized"))
        );
        assert_eq!(json["requestId"].as_str(), billing.header("x-request-id"));

        let request = String::from_utf8(generate_request(&emulator)).unwrap();
        let request = request.replace("Authorization: Bearer sk-test\r\n", authorization);
        assert_eq!(call(&emulator, request.as_bytes()).await.status, 401);
    }
    emulator.wait_idle().await;
    assert!(emulator.ledger().iter().all(|entry| !entry.authorized && entry.arrived_whole && entry.charge.is_none()));
}

#[tokio::test]
async fn the_balance_is_exact_and_runs_out() {
    let emulator = Emulator::builder().balance_usd("0.06").canned(SMALL).start().await.unwrap();
    let billing = async || {
        let url = format!("{}/billing", emulator.base_url().replace("/v1", "/v2"));
        let response = get(&url, "Authorization: Bearer any\r\n").await;
        assert_eq!(response.status, 200);
        response.text()
    };
    assert_eq!(billing().await, r#"{"current_balance":0.06,"currency":"USD"}"#);
    assert_eq!(call(&emulator, &generate_request(&emulator)).await.status, 200);
    assert_eq!(billing().await, r#"{"current_balance":0.0063295,"currency":"USD"}"#);
    let refused = call(&emulator, &generate_request(&emulator)).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"]["data"]["kind"], "err_insufficent_credits");
    emulator.wait_idle().await;
    assert_eq!((emulator.balance().as_str(), emulator.charges()), ("0.0063295", 1));
    let wrong = Emulator::builder().balance_usd("ten").start().await;
    assert!(matches!(wrong, Err(StartError::Balance(_))));
}

#[tokio::test]
async fn price_headers_can_be_left_out() {
    let emulator = Emulator::builder().price_headers(false).canned(SMALL).start().await.unwrap();
    let response = call(&emulator, &generate_request(&emulator)).await;
    assert!(response.header("x-aimlapi-credits-used").is_none() && response.header("x-inference-id").is_some());
}

#[tokio::test]
async fn an_id_outside_the_alphabet_is_dropped_and_still_billed() {
    let emulator = canned().await;
    let request = String::from_utf8(generate_request(&emulator)).unwrap();
    let request = request.replacen("\r\n\r\n", "\r\nX-Client-Request-Id: no spaces\r\n\r\n", 1);
    let response = call(&emulator, request.as_bytes()).await;
    assert!(response.status == 200 && response.header("x-client-request-id").is_none());
    emulator.wait_idle().await;
    assert_eq!(emulator.charges(), 1);
    assert_eq!(emulator.ledger()[0].client_request_id.as_deref(), Some("no spaces"));
}

#[tokio::test]
async fn an_announced_body_is_waited_for() {
    let emulator = canned().await;
    let request = String::from_utf8(generate_request(&emulator)).unwrap();
    let request = request.replacen("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", 1);
    let split = request.find("\r\n\r\n").unwrap() + 4;
    let mut socket = connect(emulator.base_url()).await;
    socket.write_all(&request.as_bytes()[..split]).await.unwrap();
    let mut interim = [0; 25];
    socket.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(&request.as_bytes()[split..]).await.unwrap();
    let (raw, _) = read_all(&mut socket).await;
    assert_eq!(Response::parse(&raw).status, 200);
    emulator.wait_idle().await;
    assert!(emulator.ledger()[0].delivered);
}

#[test]
fn it_runs_on_a_thread_of_its_own() {
    use std::io::{Read, Write};
    let emulator = Emulator::builder().canned(Bytes::from_static(SMALL)).spawn().unwrap();
    let mut socket = std::net::TcpStream::connect(authority(emulator.base_url())).unwrap();
    socket.write_all(&generate_request(&emulator)).unwrap();
    let mut raw = Vec::new();
    socket.read_to_end(&mut raw).unwrap();
    assert_eq!(picture(&Response::parse(&raw)), SMALL);
    emulator.wait_idle_blocking();
    assert!(emulator.ledger()[0].delivered);
    let address = authority(emulator.base_url()).to_owned();
    emulator.stop_blocking();
    assert!(std::net::TcpStream::connect(address).is_err(), "its port is free again");
}

#[tokio::test]
async fn dropping_it_closes_its_connections() {
    let emulator = canned().await;
    let mut socket = connect(emulator.base_url()).await;
    emulator.wait_idle().await;
    drop(emulator);
    assert!(read_all(&mut socket).await.0.is_empty());
}
