//! Every fault, byte-exact, as the peer sees it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use gptimage_emulator::{Billing, Cut, Early, Emulator, ErrorBody, Fault, Issue};
use support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn emulator(billing: Billing) -> Emulator {
    Emulator::builder().billing(billing).canned(&b"picture"[..]).start().await.unwrap()
}

#[tokio::test]
async fn a_request_is_cut_after_any_byte() {
    for billing in [Billing::Documented, Billing::Pessimistic] {
        let emulator = emulator(billing).await;
        let request = generate_request(&emulator);
        let body_start = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        for (cut, end) in [(Cut::Fin, End::Fin), (Cut::Rst, End::Reset)] {
            for offset in 0..=request.len() + 1 {
                emulator.fault(Fault::cut_request(offset as u64, cut));
                let (raw, ended) = exchange(emulator.base_url(), &request).await;
                assert_eq!((raw.as_slice(), ended), (&b""[..], end), "{cut:?} {offset}");
                emulator.wait_idle().await;
                let entry = emulator.ledger().pop().unwrap();
                let whole = offset >= request.len();
                assert_eq!(entry.arrived_whole, whole, "{cut:?} {offset}");
                let body = offset.clamp(body_start, request.len()) - body_start;
                assert_eq!(entry.bytes_received, body as u64, "{cut:?} {offset}");
                let paid = whole && billing == Billing::Pessimistic;
                assert_eq!((entry.charge.is_some(), entry.generated), (paid, paid), "{cut:?} {offset}");
                assert!(!entry.delivered && entry.status.is_none());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_is_cut_where_told() {
    let emulator = emulator(Billing::Pessimistic).await;
    let image = [png(8, 8, |_, _| [9, 9, 9, 255]), vec![0; 6 << 20]].concat();
    let request = Form::edit().file("image", "a.png", "image/png", &image).request(&emulator);
    let head = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let mut calls = 0;
    for cut in [Cut::Fin, Cut::Rst, Cut::Silence] {
        for offset in [70_000, 1_000_003, request.len() - 1, request.len()] {
            emulator.fault(Fault::cut_request(offset as u64, cut));
            let (mut reader, mut writer) = connect(emulator.base_url()).await.into_split();
            let upload = request.clone();
            // Ends when the server has taken all, or the connection is gone; into silence it may never.
            let upload = tokio::spawn(async move { writer.write_all(&upload).await });
            if cut == Cut::Silence {
                while emulator.ledger().get(calls).is_none_or(|entry| entry.bytes_received < (offset - head) as u64) {
                    tokio::task::yield_now().await;
                }
            } else {
                assert!(!matches!(reader.read(&mut [0; 1]).await, Ok(1..)), "nothing is answered");
            }
            calls += 1;
            upload.abort();
            // Either it was aborted or it failed.
            let _ = upload.await;
            drop(reader);
            emulator.wait_idle().await;
            let entry = emulator.ledger().pop().unwrap();
            assert_eq!(entry.bytes_received, (offset - head) as u64, "{cut:?} {offset}");
            assert_eq!(entry.arrived_whole, offset == request.len(), "{cut:?} {offset}");
            assert_eq!(entry.charge.is_some(), offset == request.len(), "{cut:?} {offset}");
        }
    }
}

#[tokio::test]
async fn a_response_is_cut_after_any_byte() {
    let emulator = emulator(Billing::Documented).await;
    let request = generate_request(&emulator);
    let (whole, _) = exchange(emulator.base_url(), &request).await;
    for (cut, end) in [(Cut::Fin, End::Fin), (Cut::Rst, End::Reset)] {
        for offset in 0..=whole.len() {
            emulator.fault(Fault::cut_response(offset as u64, cut));
            let (raw, ended) = exchange(emulator.base_url(), &request).await;
            assert_eq!((raw.len(), ended), (offset, end), "{cut:?} {offset}");
            emulator.wait_idle().await;
            let entry = emulator.ledger().pop().unwrap();
            assert_eq!(entry.delivered, offset == whole.len(), "{cut:?} {offset}");
            assert!(entry.arrived_whole && entry.generated && entry.charge.is_some() && entry.status == Some(200));
        }
    }
    emulator.fault(Fault::cut_response(whole.len() as u64 + 1, Cut::Rst).charged(false));
    assert_eq!(call(&emulator, &request).await.status, 200);
    emulator.wait_idle().await;
    let entry = emulator.ledger().pop().unwrap();
    assert!(entry.delivered && entry.generated && entry.charge.is_none());
}

#[tokio::test]
async fn silence_keeps_the_connection_open() {
    let emulator = emulator(Billing::Pessimistic).await;
    let request = generate_request(&emulator);
    emulator.fault(Fault::cut_response(17, Cut::Silence));
    emulator.fault(Fault::cut_request(u64::MAX, Cut::Silence));
    emulator.fault(Fault::cut_request(20, Cut::Silence));
    let mut sockets = Vec::new();
    for arrives in [17, 0, 0] {
        let mut socket = connect(emulator.base_url()).await;
        socket.write_all(&request).await.unwrap();
        let mut bytes = vec![0; arrives];
        socket.read_exact(&mut bytes).await.unwrap();
        emulator.wait_idle().await;
        sockets.push(socket);
    }
    for socket in &sockets {
        let pending = socket.try_read(&mut [0; 1]).unwrap_err();
        assert_eq!(pending.kind(), std::io::ErrorKind::WouldBlock);
    }
    let charged: Vec<bool> = emulator.ledger().iter().map(|entry| entry.charge.is_some()).collect();
    assert_eq!(charged, [true, true, false]);
    emulator.stop().await;
    for mut socket in sockets {
        assert!(read_all(&mut socket).await.0.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn early_answers_come_in_three_manners() {
    let emulator = emulator(Billing::Pessimistic).await;
    let image = [png(8, 8, |_, _| [9, 9, 9, 255]), vec![0; 200_000]].concat();
    let request = Form::edit().file("image", "a.png", "image/png", &image).request(&emulator);
    let body_start = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    for manner in [Early::Drain, Early::HalfClose, Early::Reset] {
        for (sent, offset) in [(body_start, 0), (body_start + 4096, 4096)] {
            emulator.fault(Fault::early(413, offset, manner).body(ErrorBody::nest("Too large", "Payload")));
            let mut socket = connect(emulator.base_url()).await;
            socket.write_all(&request[..sent]).await.unwrap();
            // The answer is there although the request is not.
            let mut raw = vec![0; 12];
            socket.read_exact(&mut raw).await.unwrap();
            assert_eq!(raw, b"HTTP/1.1 413");
            if manner == Early::Drain {
                socket.write_all(&request[sent..]).await.unwrap();
            }
            let (rest, end) = read_all(&mut socket).await;
            raw.extend_from_slice(&rest);
            assert_eq!(end, if manner == Early::Reset { End::Reset } else { End::Fin }, "{manner:?}");
            let response = Response::parse(&raw);
            assert_eq!(response.json()["message"], "Too large");
            assert_eq!(response.header("connection").is_some(), manner == Early::HalfClose);
            if manner == Early::HalfClose {
                socket.write_all(&request[sent..]).await.unwrap();
            }
            drop(socket);
            emulator.wait_idle().await;
            let entry = emulator.ledger().pop().unwrap();
            assert_eq!(entry.arrived_whole, manner != Early::Reset, "{manner:?} {offset}");
            assert!(entry.delivered && entry.status == Some(413) && entry.charge.is_none());
        }
    }
    // A refusal that is none: the pessimist pays for what arrived whole.
    emulator.fault(Fault::early(502, 10, Early::Drain));
    assert_eq!(call(&emulator, &request).await.status, 502);
    emulator.wait_idle().await;
    assert!(emulator.ledger().pop().unwrap().charge.is_some());
}

#[tokio::test]
async fn an_early_answer_waits_for_its_byte() {
    let emulator = emulator(Billing::Documented).await;
    let request = generate_request(&emulator);
    let body_start = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    emulator.fault(Fault::early(401, 10, Early::HalfClose));
    let mut socket = connect(emulator.base_url()).await;
    socket.write_all(&request[..body_start + 9]).await.unwrap();
    // Gone one byte too soon: never answered.
    socket.shutdown().await.unwrap();
    assert_eq!(read_all(&mut socket).await.0, b"");
    emulator.wait_idle().await;
    let entry = emulator.ledger().pop().unwrap();
    assert_eq!((entry.bytes_received, entry.status, entry.delivered), (9, None, false));
}

#[tokio::test]
async fn answers_have_every_form_of_error_body() {
    let emulator = emulator(Billing::Documented).await;
    let request = generate_request(&emulator);
    let moderation = ErrorBody::openai("safety system", "image_generation_user_error", "moderation_blocked");
    for (body, status, content_type, check) in [
        (
            ErrorBody::problem_list("bad", vec![Issue::at("too_big", "image", 2, "big")]),
            400,
            "application/problem+json; charset=utf-8",
            r#""data":[{"code":"too_big","message":"big","path":["image",2]}]"#,
        ),
        (
            ErrorBody::problem_kind("credits", "err_insufficent_credits"),
            403,
            "application/problem+json; charset=utf-8",
            r#""data":{"kind":"err_insufficent_credits"}"#,
        ),
        (ErrorBody::documented("slow down"), 429, "application/json; charset=utf-8", r#""statusCode":"429""#),
        (ErrorBody::nest("one", "Bad"), 422, "application/json; charset=utf-8", r#""message":"one""#),
        (
            ErrorBody::Nest { messages: vec!["one".into(), "two".into()], error: "Bad".into() },
            422,
            "application/json; charset=utf-8",
            r#""message":["one","two"]"#,
        ),
        (moderation, 400, "application/json; charset=utf-8", r#""code":"moderation_blocked""#),
        (
            ErrorBody::error_object("failed"),
            200,
            "application/json; charset=utf-8",
            r#"{"error":{"code":null,"message":"failed"}}"#,
        ),
        (ErrorBody::Html, 502, "text/html", "<h1>502 Bad Gateway</h1>"),
        (ErrorBody::Empty, 520, "", ""),
    ] {
        emulator.fault(Fault::answer(status).body(body).header("Retry-After", "2"));
        let response = call(&emulator, &request).await;
        assert_eq!(response.status, status);
        assert_eq!(response.header("content-type").unwrap_or_default(), content_type);
        assert_eq!(response.header("retry-after"), Some("2"));
        assert!(response.text().contains(check), "{}", response.text());
        assert_eq!(response.header("x-request-id").is_some(), !matches!(status, 502 | 520));
    }
    emulator.fault(Fault::answer(418).raw_body("text/plain", &b"teapot"[..]));
    let response = call(&emulator, &request).await;
    assert_eq!((response.status, response.text().as_str()), (418, "teapot"));
    emulator.wait_idle().await;
    assert_eq!(emulator.charges(), 1, "only the 2xx");
}

#[tokio::test]
async fn faults_find_their_call() {
    let emulator = emulator(Billing::Documented).await;
    emulator.fault(Fault::answer(503).on_call(3));
    emulator.fault(Fault::answer(429).times(2));
    emulator.fault(Fault::answer(500).on_client_request_id("special"));
    emulator.fault(Fault::answer(402).on_client_request_id("always").always());
    let request = String::from_utf8(generate_request(&emulator)).unwrap();
    let with_id = |id: &str| request.replacen("\r\n\r\n", &format!("\r\nX-Client-Request-Id: {id}\r\n\r\n"), 1);
    let mut statuses = Vec::new();
    for request in [
        request.clone(),
        request.clone(),
        request.clone(),
        request.clone(),
        with_id("always"),
        with_id("special"),
        with_id("special"),
        with_id("always"),
    ] {
        statuses.push(call(&emulator, request.as_bytes()).await.status);
    }
    assert_eq!(statuses, [429, 429, 503, 200, 402, 500, 200, 402]);
    emulator.clear_faults();
    assert_eq!(call(&emulator, with_id("always").as_bytes()).await.status, 200);
}

#[tokio::test]
async fn success_can_be_anything() {
    let emulator = emulator(Billing::Documented).await;
    let request = generate_request(&emulator);
    emulator.fault(Fault::success_body(&b"{\"data\":null}"[..]));
    let response = call(&emulator, &request).await;
    assert_eq!((response.status, response.text().as_str()), (200, r#"{"data":null}"#));
    assert_eq!(response.header("x-aimlapi-credits-used"), Some("107341"));

    emulator.fault(Fault::raw(&b"HTTP/1.1 200 OK\r\nx: \x01\r\n\r\nno length"[..]));
    assert_eq!(
        exchange(emulator.base_url(), &request).await,
        (b"HTTP/1.1 200 OK\r\nx: \x01\r\n\r\nno length".to_vec(), End::Fin)
    );

    emulator.fault(Fault::raw_endless(&b"HTTP/1.1 200 OK\r\n"[..], &b"a: b\r\n"[..]));
    let mut socket = connect(emulator.base_url()).await;
    socket.write_all(&request).await.unwrap();
    let mut bytes = vec![0; 1 << 20];
    socket.read_exact(&mut bytes).await.unwrap();
    assert!(bytes[17..].chunks_exact(6).all(|line| line == b"a: b\r\n"));
    drop(socket);
    emulator.wait_idle().await;
    let ledger = emulator.ledger();
    assert!(ledger.iter().all(|entry| entry.generated && entry.charge.is_some()));
    assert_eq!(ledger.iter().map(|entry| entry.delivered).collect::<Vec<_>>(), [true, true, false]);
}

#[tokio::test]
async fn a_delayed_answer_is_paid_before_it_comes() {
    let emulator = emulator(Billing::Documented).await;
    let request = generate_request(&emulator);
    // So long that only the client can end it.
    emulator.fault(Fault::delay(Duration::from_secs(86_400)));
    let mut socket = connect(emulator.base_url()).await;
    socket.write_all(&request).await.unwrap();
    drop(socket);
    emulator.wait_idle().await;
    let entry = emulator.ledger().pop().unwrap();
    assert!(entry.generated && entry.charge.is_some() && !entry.delivered);

    emulator.fault(Fault::pause(30, Duration::from_millis(1)).then_pause(60, Duration::from_millis(1)));
    assert_eq!(call(&emulator, &request).await.status, 200);
    emulator.fault(Fault::pause(30, Duration::from_millis(1)).then_cut(40, Cut::Fin));
    assert_eq!(exchange(emulator.base_url(), &request).await.0.len(), 40);
}
