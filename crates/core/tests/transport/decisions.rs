//! The decision table, row by row, over real sockets.

use std::time::Duration;

use gptimage_core::{Charge, ErrorKind, GenerateRequest, Phase};
use gptimage_emulator::{Cut, ErrorBody, Fault};
use tokio::net::{TcpListener, TcpSocket};

use crate::common::{client, config, judge, pessimistic, request, request_by_url, timers, upload};

#[tokio::test]
async fn row_1_a_refused_connection_is_tried_again_and_never_charged() {
    let emulator = pessimistic().await;
    // A port that nobody listens on, and nobody else can have meanwhile.
    let taken = TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = taken.local_addr().unwrap().port();
    let client = config(&emulator).base_url(format!("http://127.0.0.1:{port}")).build().unwrap();
    let outcome = client.generate(&request()).send().await;
    judge(&emulator, &outcome, 0).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::Connection, Charge::NotCharged));
    assert_eq!(error.attempts().len(), 3);
    assert!(error.attempts().iter().all(|attempt| attempt.phase == Phase::Connecting && attempt.bytes_sent == 0));
    assert!(error.message().contains("nothing was charged"), "{error}");
}

#[tokio::test]
async fn row_1_a_name_that_does_not_exist_is_not_charged() {
    let emulator = pessimistic().await;
    let config = config(&emulator).base_url("https://no-such-host.invalid").max_attempts(2);
    let error = config.build().unwrap().generate(&request()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::Connection, Charge::NotCharged));
    assert_eq!(error.attempts().len(), 2);
}

#[tokio::test]
async fn row_1_a_connection_that_never_comes_about_times_out() {
    let emulator = pessimistic().await;
    // A listener that accepts in the kernel and never speaks: TLS hangs.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut timers = timers();
    timers.connect = Duration::from_millis(100);
    let config = config(&emulator).base_url(format!("https://127.0.0.1:{port}")).timers(timers).max_attempts(2);
    let error = config.build().unwrap().generate(&request()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.charge(), error.is_timeout()), (ErrorKind::Connection, Charge::NotCharged, true));
    assert_eq!(error.attempts().len(), 2);
}

#[tokio::test]
async fn row_2_an_upload_cut_before_its_end_is_rebuilt_and_delivered() {
    for cut in [Cut::Fin, Cut::Rst] {
        let emulator = pessimistic().await;
        emulator.fault(Fault::cut_request(100_000, cut));
        let outcome = client(&emulator).edit(&upload(24 << 20)).send().await;
        judge(&emulator, &outcome, 1).await;
        let generated = outcome.unwrap();
        let [first, second] = generated.attempts() else { panic!("{generated:#?}") };
        assert_eq!((first.charge, first.phase), (Charge::NotCharged, Phase::Sending));
        assert!(first.bytes_sent < first.bytes_total);
        assert_eq!((second.charge, second.phase), (Charge::Charged, Phase::Stored));
        assert_ne!(first.client_request_id, second.client_request_id, "a fresh id for each attempt");
    }
}

#[tokio::test]
async fn row_2_an_upload_that_stands_still_is_given_up() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::cut_request(100_000, Cut::Silence));
    let mut timers = timers();
    timers.write = Duration::from_millis(300);
    let client = config(&emulator).timers(timers).build().unwrap();
    let outcome = client.edit(&upload(24 << 20)).send().await;
    judge(&emulator, &outcome, 1).await;
    assert_eq!(outcome.unwrap().attempts().len(), 2);
}

#[tokio::test]
async fn row_3_a_rate_limit_is_waited_for() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(429).body(ErrorBody::documented("Too many requests")).header("Retry-After", "0"));
    emulator.fault(Fault::answer(429).body(ErrorBody::Empty).header("Retry-After", "1"));
    let outcome = client(&emulator).generate(&request()).send().await;
    judge(&emulator, &outcome, 1).await;
    let waits: Vec<_> = outcome.unwrap().attempts().iter().map(|attempt| attempt.waited).collect();
    assert_eq!(waits.len(), 3);
    assert!(waits[2] >= Duration::from_secs(1), "{waits:?}");
}

#[tokio::test]
async fn row_3_a_long_wait_is_reported_and_not_slept() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(429).body(ErrorBody::documented("Slow down")).header("Retry-After", "121"));
    let outcome = client(&emulator).generate(&request()).send().await;
    judge(&emulator, &outcome, 0).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::RateLimited, Charge::NotCharged));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(121)));
    assert_eq!(error.attempts().len(), 1);
}

#[tokio::test]
async fn row_4_a_refusal_is_final() {
    for (status, body, kind) in [
        (400, ErrorBody::problem_list("Invalid payload provided", vec![]), ErrorKind::BadRequest),
        (
            400,
            ErrorBody::openai("Rejected by the safety system", "user_error", "moderation_blocked"),
            ErrorKind::ModerationBlocked,
        ),
        (401, ErrorBody::problem_kind("Unauthorized", "err_unauthorized"), ErrorKind::Authentication),
        (403, ErrorBody::problem_kind("Forbidden", "err_insufficent_credits"), ErrorKind::InsufficientCredits),
        (403, ErrorBody::nest("You have run out of credits", "Forbidden"), ErrorKind::InsufficientCredits),
        (403, ErrorBody::Html, ErrorKind::PermissionDenied),
        (404, ErrorBody::Empty, ErrorKind::NotFound),
        (413, ErrorBody::Html, ErrorKind::BadRequest),
        (422, ErrorBody::documented("Unprocessable"), ErrorKind::BadRequest),
    ] {
        let emulator = pessimistic().await;
        emulator.fault(Fault::answer(status).body(body));
        let outcome = client(&emulator).generate(&request()).send().await;
        judge(&emulator, &outcome, 0).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge(), error.http_status()), (kind, Charge::NotCharged, Some(status)));
        assert_eq!(error.attempts().len(), 1);
    }
}

#[tokio::test]
async fn row_5_the_vendors_5xx_is_repeated_only_on_demand() {
    for status in [500, 502, 503, 504] {
        let emulator = pessimistic().await;
        emulator.fault(Fault::answer(status).body(ErrorBody::problem_kind("Upstream failed", "err_upstream")));
        let outcome = client(&emulator).generate(&request()).send().await;
        judge(&emulator, &outcome, 1).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Server, Charge::Unknown));
        assert!(error.vendor_says_free());
        assert_eq!(error.attempts().len(), 1);

        emulator.fault(Fault::answer(status).body(ErrorBody::documented("Upstream failed")));
        let client = config(&emulator).retry_server_errors(true).build().unwrap();
        let generated = client.generate(&request()).send().await.unwrap();
        let charges: Vec<_> = generated.attempts().iter().map(|attempt| attempt.charge).collect();
        assert_eq!(charges, [Charge::Unknown, Charge::Charged]);
    }
}

#[tokio::test]
async fn row_6_an_answer_that_proves_nothing_is_never_repeated() {
    for status in [408, 499, 500, 502, 503, 520, 524, 530] {
        let emulator = pessimistic().await;
        emulator.fault(Fault::answer(status).body(ErrorBody::Html).header("x-should-retry", "true"));
        let client = config(&emulator).retry_server_errors(true).build().unwrap();
        let outcome = client.generate(&request()).send().await;
        judge(&emulator, &outcome, 1).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::OutcomeUnknown, Charge::Unknown), "{status}");
        assert_eq!(error.attempts().len(), 1);
        assert!(error.message().contains(&error.attempts()[0].client_request_id), "{error}");
    }
}

#[tokio::test]
async fn row_6_a_redirect_is_never_followed() {
    for status in [301, 302, 303, 307, 308] {
        let emulator = pessimistic().await;
        let elsewhere = pessimistic().await;
        emulator.fault(Fault::answer(status).body(ErrorBody::Empty).header("Location", elsewhere.base_url()));
        let outcome = client(&emulator).generate(&request()).send().await;
        judge(&emulator, &outcome, 1).await;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::OutcomeUnknown);
        // Threat: hidden-repeat
        assert_eq!(elsewhere.connections(), 0);
    }
}

#[tokio::test]
async fn row_7_a_connection_lost_after_sending_is_never_repeated() {
    for fault in [
        Fault::cut_request(u64::MAX, Cut::Fin),
        Fault::cut_response(0, Cut::Fin),
        Fault::cut_response(0, Cut::Rst),
        Fault::cut_response(20, Cut::Rst),
        Fault::raw("HTTP/1.1 99"),
        Fault::raw("this is no HTTP\r\n\r\n"),
    ] {
        let emulator = pessimistic().await;
        let shown = format!("{fault:?}");
        emulator.fault(fault);
        let mut timers = timers();
        timers.response_header = Duration::from_secs(3);
        let client = config(&emulator).timers(timers).build().unwrap();
        let outcome = client.generate(&request()).send().await;
        // Threat: paid-twice
        judge(&emulator, &outcome, 1).await;
        if shown.contains(&u64::MAX.to_string()) {
            // A cut that lies beyond the request never comes.
            continue;
        }
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::OutcomeUnknown, Charge::Unknown), "{shown}");
        assert_eq!(error.attempts()[0].phase, Phase::Sent, "{shown}");
    }
}

#[tokio::test]
async fn row_7_silence_is_waited_for_up_to_the_head_timer() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::cut_response(0, Cut::Silence));
    let mut timers = timers();
    timers.response_header = Duration::from_millis(200);
    let client = config(&emulator).timers(timers).build().unwrap();
    let outcome = client.generate(&request()).send().await;
    judge(&emulator, &outcome, 1).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.charge(), error.is_timeout()), (ErrorKind::OutcomeUnknown, Charge::Unknown, true));
}

#[tokio::test]
async fn silence_within_the_head_timer_is_a_success() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::delay(Duration::from_millis(300)));
    let mut timers = timers();
    timers.read = Duration::from_millis(100);
    timers.write = Duration::from_millis(100);
    timers.connect = Duration::from_secs(5);
    let client = config(&emulator).timers(timers).build().unwrap();
    let outcome = client.generate(&request()).send().await;
    judge(&emulator, &outcome, 1).await;
    outcome.unwrap();
}

#[tokio::test]
async fn row_8_a_deadline_after_sending_leaves_the_outcome_unknown() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::cut_response(0, Cut::Silence));
    let outcome = client(&emulator).generate(&request()).deadline(Duration::from_millis(200)).send().await;
    judge(&emulator, &outcome, 1).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.charge(), error.is_timeout()), (ErrorKind::OutcomeUnknown, Charge::Unknown, true));
}

#[tokio::test]
async fn row_9_a_success_that_cannot_be_used_is_reported_as_paid() {
    for (body, charge) in [
        (r#"{"data":[{"b64_json":"aGVsbG8="}]}"#, Charge::Charged),
        (r#"{"data":[{"b64_json":"#, Charge::Charged),
        (r#"{"data":[{"b64_json":"*"}]}"#, Charge::Charged),
        ("<html>", Charge::Unknown),
        ("", Charge::Charged),
        (r#"{"data":[],"meta":{"usage":{"usd_spent":0.05}}}"#, Charge::Charged),
        (r#"{"error":{"message":"no"},"meta":{"usage":{"usd_spent":0}}}"#, Charge::Unknown),
        (r#"{"data":null}"#, Charge::Unknown),
        (r#"{"data":[{}]}"#, Charge::Unknown),
    ] {
        let emulator = crate::common::start(
            gptimage_emulator::Emulator::builder()
                .billing(gptimage_emulator::Billing::Pessimistic)
                .price_headers(false),
        )
        .await;
        emulator.fault(Fault::success_body(body));
        let outcome = client(&emulator).generate(&request()).send().await;
        judge(&emulator, &outcome, 1).await;
        let error = outcome.unwrap_err();
        // Threat: not-a-picture
        assert_eq!((error.kind(), error.charge()), (ErrorKind::ResponseInvalid, charge), "{body}");
        assert_eq!(error.attempts().len(), 1);
        assert!(error.response_body().is_some(), "{body}");
    }
}

#[tokio::test]
async fn row_10_a_download_that_fails_keeps_the_link() {
    let emulator = pessimistic().await;
    emulator.cdn_fault(gptimage_emulator::CdnFault::status(403).always());
    let client = client(&emulator);
    let outcome = client.generate(&request_by_url()).send().await;
    judge(&emulator, &outcome, 1).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::DownloadFailed, Charge::Charged));
    let generated = error.generated().unwrap();
    assert!(generated.cost().is_some());
    let image = generated.image().unwrap();
    assert!(image.url().is_some() && image.format().is_none());
    assert_eq!(client.fetch(image).await.unwrap_err().kind(), ErrorKind::DownloadFailed);

    emulator.clear_faults();
    let fetched = client.fetch(image).await.unwrap();
    assert_eq!(fetched.dimensions(), Some((1024, 1024)));
    assert_eq!(emulator.charges(), 1);
}

#[tokio::test]
async fn attempts_are_bounded() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(429).body(ErrorBody::Empty).always());
    for max in [1, 2, 5] {
        let client = config(&emulator).max_attempts(max).build().unwrap();
        let error = client.generate(&request()).send().await.unwrap_err();
        let numbers: Vec<_> = error.attempts().iter().map(|attempt| attempt.number).collect();
        assert_eq!(numbers, (1..=max).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_retry_never_outlives_the_deadline() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(429).body(ErrorBody::Empty).header("Retry-After", "60"));
    let request = GenerateRequest::builder("A T-Rex").build().unwrap();
    let error = client(&emulator).generate(&request).deadline(Duration::from_secs(5)).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "the last error is better news than a deadline");
    assert_eq!(error.attempts().len(), 1);
}
