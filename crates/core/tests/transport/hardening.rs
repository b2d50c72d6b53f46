//! What hosts and servers do that nobody should.

use std::future::{Future, IntoFuture};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gptimage_core::{Charge, ErrorKind, Image, ImageInput};
use gptimage_emulator::{Early, ErrorBody, Fault};

use crate::common::{client, config, judge, pessimistic, request, timers};

#[tokio::test]
async fn a_price_on_a_refusal_is_believed_and_ends_the_attempts() {
    for status in [400, 429, 502] {
        let emulator = pessimistic().await;
        emulator.fault(Fault::answer(status).body(ErrorBody::Empty).header("x-aimlapi-usd-spent", "0.05"));
        let error = client(&emulator).generate(&request()).send().await.unwrap_err();
        assert_eq!(error.charge(), Charge::Charged, "{status}");
        assert_eq!(error.attempts().len(), 1);
        assert_eq!(error.attempts()[0].cost.unwrap().usd.unwrap().to_string(), "0.05");
    }
}

#[tokio::test]
async fn a_progress_callback_that_panics_costs_no_picture() {
    let emulator = pessimistic().await;
    let outcome = client(&emulator).generate(&request()).progress(|_| panic!("in a callback")).send().await;
    judge(&emulator, &outcome, 1).await;
    outcome.unwrap();
}

#[tokio::test]
async fn progress_goes_forward_through_the_phases() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::delay(Duration::from_millis(200)));
    let (sender, receiver) = std::sync::mpsc::channel();
    let call = client(&emulator).generate(&request());
    call.progress(move |progress| sender.send(progress.clone()).unwrap()).send().await.unwrap();
    let seen: Vec<_> = receiver.iter().collect();
    assert!(seen.is_sorted_by_key(|progress| (progress.phase, progress.bytes_received)), "{seen:#?}");
    let (first, last) = (seen.first().unwrap(), seen.last().unwrap());
    assert!(first.bytes_received == 0 && last.bytes_received > 100_000, "{first:?} {last:?}");
}

#[tokio::test]
async fn timers_without_an_end_are_no_overflow() {
    let emulator = pessimistic().await;
    let mut timers = timers();
    (timers.connect, timers.response_header, timers.read) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let client = config(&emulator).timers(timers).deadline(Duration::MAX).build().unwrap();
    client.generate(&crate::common::request_by_url()).send().await.unwrap();
    client.balance().await.unwrap();
}

#[tokio::test]
async fn a_name_that_gets_its_extension_later_is_judged_before() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t-rex.png"), "mine").unwrap();
    let error = client(&emulator).generate(&request()).save_to(folder.path().join("t-rex")).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(emulator.ledger().is_empty());
}

#[tokio::test]
async fn more_links_than_anybody_asked_for_are_not_followed() {
    let emulator = pessimistic().await;
    let link = format!("{{\"url\":\"{}/none.png\"}},", emulator.cdn_url());
    let body = format!("{{\"data\":[{}{{}}]}}", link.repeat(10_000));
    emulator.fault(Fault::success_body(body));
    let outcome = client(&emulator).generate(&request()).send().await;
    judge(&emulator, &outcome, 1).await;
    assert_eq!(outcome.unwrap_err().generated().unwrap().images().len(), 64);
}

#[tokio::test]
async fn an_answer_that_never_ends_is_given_up() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::raw_endless("HTTP/1.1 200 OK\r\n\r\n{\"data\":[],\"x\":\"", vec![b'a'; 1 << 16]));
    let outcome = client(&emulator).generate(&request()).send().await;
    judge(&emulator, &outcome, 1).await;
    // Threat: endless-answer
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::ResponseInvalid);
}

#[tokio::test]
async fn a_picture_that_never_ends_and_decodes_to_nothing_is_given_up() {
    let sixty_four = "{\"b64_json\":\"\"},".repeat(64);
    for (data, repeated) in [
        ("{\"b64_json\":\"".to_owned(), "\\n\\n\\n\\n"),
        ("{\"b64_json\":\"".to_owned(), "    "),
        ("{\"b64_json\":\"data:".to_owned(), "aaaa"),
        ("{\"b64_json\":\"".to_owned(), "****"),
        (format!("{sixty_four}{{\"b64_json\":\""), "AAAA"),
    ] {
        let emulator = pessimistic().await;
        let begun = format!("HTTP/1.1 200 OK\r\n\r\n{{\"data\":[{data}");
        emulator.fault(Fault::raw_endless(begun, repeated.repeat(1 << 12)));
        let client = config(&emulator).max_image_bytes(1 << 20).build().unwrap();
        let call = client.generate(&request()).send();
        let outcome =
            tokio::time::timeout(Duration::from_secs(30), call).await.unwrap_or_else(|_| panic!("{repeated:?}"));
        judge(&emulator, &outcome, 1).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::ResponseInvalid, Charge::Charged), "{repeated:?}");
    }
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    fn now<F: IntoFuture>(future: F) -> F::Output {
        let mut future = std::pin::pin!(future.into_future());
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it waits for what cannot come"),
        }
    }
    let client = gptimage_core::Client::builder().api_key("sk").base_url("http://127.0.0.1:1").build().unwrap();
    assert_eq!(now(client.generate(&request()).send()).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(now(client.fetch(&Image::from_url("http://127.0.0.1:1/a.png"))).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(now(client.balance()).unwrap_err().kind(), ErrorKind::Config);
}

#[test]
fn a_reader_is_never_cut_in_silence() {
    let endless = std::io::repeat(0);
    let error = ImageInput::reader(endless).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
}

#[tokio::test]
async fn a_success_that_comes_before_the_upload_is_whole_is_taken() {
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
    let body = format!("{{\"data\":[{{\"b64_json\":\"{png}\"}}]}}");
    for manner in [Early::Drain, Early::HalfClose] {
        let emulator = pessimistic().await;
        emulator.fault(Fault::early(200, 1 << 20, manner).raw_body("application/json", body.clone()));
        let outcome = client(&emulator).edit(&crate::common::upload(24 << 20)).send().await;
        let generated = outcome.unwrap_or_else(|error| panic!("{manner:?}: {error:?}"));
        let attempt = &generated.attempts()[0];
        assert_eq!(attempt.charge, Charge::Charged);
        assert!(attempt.bytes_sent < attempt.bytes_total, "{attempt:?}");
        assert_eq!(generated.image().unwrap().dimensions(), Some((1, 1)));
    }
}

#[tokio::test]
async fn a_crowd_of_answers_takes_turns_and_each_gets_its_own_file() {
    let png = crate::common::padded_png(3 << 20);
    let emulator = crate::common::start(gptimage_emulator::Emulator::builder().canned(png.clone())).await;
    let client = client(&emulator);
    let folder = tempfile::tempdir().unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..48 {
        let call = client.generate(&request()).save_to(folder.path().join(format!("{number}.png")));
        calls.spawn(call.send());
    }
    for outcome in calls.join_all().await {
        outcome.unwrap();
    }
    for number in 0..48 {
        assert!(std::fs::read(folder.path().join(format!("{number}.png"))).unwrap() == png, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempts_id_is_told_before_anything_of_it_is_sent() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(429).header("Retry-After", "0"));
    emulator.fault(Fault::answer(429).header("Retry-After", "0"));
    let (sender, receiver) = std::sync::mpsc::channel();
    let connections = emulator.connections();
    let server = std::sync::Arc::new(emulator);
    let seen = server.clone();
    let call = client(&server).generate(&request()).progress(move |progress| {
        sender.send((progress.attempt, progress.client_request_id.clone(), seen.connections())).unwrap();
    });
    let generated = call.send().await.unwrap();
    let mut told: Vec<_> = receiver.iter().collect();
    told.dedup_by_key(|(attempt, _, _)| *attempt);
    assert_eq!(told.len(), 3);
    for ((attempt, id, before), (made, index)) in told.into_iter().zip(generated.attempts().iter().zip(0..)) {
        assert_eq!((attempt, &id), (made.number, &made.client_request_id));
        assert_eq!(before, connections + index, "told before there is a connection for it");
    }
}
