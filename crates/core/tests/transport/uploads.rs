//! Bodies on their way out: exact, counted, and never of files that changed.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use gptimage_core::{Charge, EditRequest, ErrorKind, ImageInput, Phase, ResponseFormat};
use gptimage_emulator::{Cut, Early, Emulator, ErrorBody, Fault, Side};

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::common::{client, config, judge, padded_png, pessimistic, start, upload};

fn edit(path: &std::path::Path) -> EditRequest {
    EditRequest::builder("A crown", [path]).response_format(ResponseFormat::B64Json).build().unwrap()
}

#[tokio::test]
async fn bytes_arrive_as_they_were() {
    let emulator = start(Emulator::builder().keep_bodies(64 << 20)).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.png");
    let png = padded_png(5_000_001);
    std::fs::write(&path, &png).unwrap();
    let inputs = [ImageInput::path(&path), ImageInput::bytes(png.clone()), ImageInput::reader(&png[..]).unwrap()];
    let request = EditRequest::builder("A crown", inputs).build().unwrap();
    client(&emulator).edit(&request).send().await.unwrap();
    let recorded = emulator.requests().into_iter().find(|seen| seen.side == Side::Api).unwrap();
    assert_eq!(recorded.header("content-length"), Some(recorded.body_len.to_string().as_str()));
    assert_eq!(recorded.header("transfer-encoding"), None);
    let body = recorded.body.unwrap();
    let found = body.windows(png.len()).step_by(1).filter(|window| window[..8] == png[..8] && *window == png).count();
    assert_eq!(found, 3, "each input stands in the body, byte for byte");
}

type Change = fn(&std::path::Path);

#[tokio::test]
async fn a_file_that_changed_since_the_request_was_built_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input.png");
    let changes: [(&str, Change); 5] = [
        ("truncated", |path| std::fs::write(path, padded_png(50_000)).unwrap()),
        ("grown", |path| {
            let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"more").unwrap();
        }),
        ("replaced", |path| {
            let other = path.with_extension("new");
            std::fs::write(&other, padded_png(100_000)).unwrap();
            std::fs::rename(other, path).unwrap();
        }),
        ("rewritten", |path| {
            // The same length at another time.
            let later = path.metadata().unwrap().modified().unwrap() + Duration::from_secs(1);
            std::fs::write(path, padded_png(100_000)).unwrap();
            std::fs::File::options().write(true).open(path).unwrap().set_modified(later).unwrap();
        }),
        ("removed", |path| std::fs::remove_file(path).unwrap()),
    ];
    for (name, change) in changes {
        let emulator = pessimistic().await;
        std::fs::write(&path, padded_png(100_000)).unwrap();
        let request = edit(&path);
        change(&path);
        let outcome = client(&emulator).edit(&request).send().await;
        judge(&emulator, &outcome, 0).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Io, Charge::NotCharged), "{name}: {error}");
        assert_eq!(error.attempts().len(), 1, "{name}: another attempt would find the same");
    }
}

/// Leads to the emulator, and lets `first` bytes of each request pass before it waits for a word.
async fn relay(emulator: &Emulator, first: u64, go_on: Arc<Notify>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let to = emulator.base_url().trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (to, go_on) = (to.clone(), go_on.clone());
            tokio::spawn(async move {
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = TcpStream::connect(to).await.unwrap().into_split();
                let answers = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
                let mut beginning = from_client.take(first);
                tokio::io::copy(&mut beginning, &mut to_server).await?;
                go_on.notified().await;
                tokio::io::copy(&mut beginning.into_inner(), &mut to_server).await?;
                drop(to_server);
                answers.await.unwrap()
            });
        }
    });
    url
}

#[tokio::test]
async fn a_file_that_changes_during_the_upload_is_noticed_before_its_last_byte() {
    const LENGTH: usize = 40 << 20;
    let changes: [(&str, Change); 4] = [
        ("not at all", |_| {}),
        ("truncated", |path| std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(39 << 20).unwrap()),
        ("grown", |path| std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap()),
        ("rewritten", |path| {
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            (&file).write_all(&[7]).unwrap();
        }),
    ];
    for (name, change) in changes {
        let emulator = pessimistic().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.png");
        std::fs::write(&path, padded_png(LENGTH)).unwrap();
        let request = edit(&path);
        let go_on = Arc::new(Notify::new());
        let config = config(&emulator).base_url(relay(&emulator, 1 << 20, go_on.clone()).await);
        let client = config.build().unwrap();
        let changing = async {
            while emulator.ledger().first().is_none_or(|entry| entry.bytes_received < 1 << 19) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            change(&path);
            go_on.notify_one();
        };
        let (outcome, ()) = tokio::join!(client.edit(&request).send(), changing);
        if name == "not at all" {
            outcome.unwrap();
            continue;
        }
        judge(&emulator, &outcome, 0).await;
        let error = outcome.unwrap_err();
        // Threat: input-changes
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Io, Charge::NotCharged), "{name}: {error}");
        assert!(error.message().contains("changed"), "{name}: {error}");
    }
}

#[tokio::test]
async fn after_a_verdict_of_not_charged_nothing_arrives_whole() {
    // The HTTP library pulls the body in a task of its own: whatever that does after the call, the server never has it all.
    for _ in 0..25 {
        let emulator = pessimistic().await;
        let go_on = Arc::new(Notify::new());
        let config = config(&emulator).base_url(relay(&emulator, 1 << 20, go_on.clone()).await);
        let client = config.build().unwrap();
        let token = gptimage_core::CancelToken::new();
        let request = upload(24 << 20);
        let call = client.edit(&request).cancel(&token);
        let cancelling = async {
            while emulator.ledger().first().is_none_or(|entry| entry.bytes_received < 1 << 19) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            token.cancel();
        };
        let (outcome, ()) = tokio::join!(call.send(), cancelling);
        go_on.notify_one();
        judge(&emulator, &outcome, 0).await;
        // Threat: false-not-charged
        assert_eq!(outcome.unwrap_err().charge(), Charge::NotCharged);
        assert!(!emulator.ledger()[0].arrived_whole);
    }
}

#[tokio::test]
async fn an_early_refusal_is_the_error_to_report() {
    for status in [401, 413, 429] {
        for manner in [Early::Drain, Early::HalfClose] {
            let emulator = pessimistic().await;
            emulator.fault(Fault::early(status, 1 << 20, manner).body(ErrorBody::documented("Refused")).always());
            let outcome = client(&emulator).edit(&upload(24 << 20)).send().await;
            judge(&emulator, &outcome, 0).await;
            let error = outcome.unwrap_err();
            assert_eq!(error.http_status(), Some(status), "{manner:?}: {error:?}");
            assert_eq!(error.charge(), Charge::NotCharged);
            assert_eq!(error.attempts().len(), if status == 429 { 3 } else { 1 });
        }
    }
}

#[tokio::test]
async fn an_early_answer_that_proves_nothing_is_tried_again() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::early(503, 1 << 20, Early::HalfClose).body(ErrorBody::Html));
    let outcome = client(&emulator).edit(&upload(24 << 20)).send().await;
    judge(&emulator, &outcome, 1).await;
    let generated = outcome.unwrap();
    assert_eq!(generated.attempts()[0].charge, Charge::NotCharged);
    assert_eq!(generated.attempts()[0].http_status, Some(503));
}

#[tokio::test]
async fn before_a_large_body_is_sent_again_the_key_is_tried() {
    let emulator = start(Emulator::builder().billing(gptimage_emulator::Billing::Pessimistic).key("sk-right")).await;
    emulator.fault(Fault::early(401, 1 << 20, Early::Reset).body(ErrorBody::documented("Refused")).always());
    let config = crate::common::config(&emulator).api_key("sk-wrong");
    let outcome = config.build().unwrap().edit(&upload(40 << 20)).send().await;
    judge(&emulator, &outcome, 0).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Authentication, Some(401)), "{error:?}");
    assert_eq!(error.attempts().len(), 1);
    let paid = emulator.ledger().len();
    assert_eq!(paid, 1, "the upload was not repeated");
}

#[tokio::test]
async fn a_small_body_is_sent_before_anything_is_known() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::cut_response(0, Cut::Rst));
    let error = client(&emulator).generate(&crate::common::request()).send().await.unwrap_err();
    assert_eq!(error.attempts()[0].phase, Phase::Sent);
    assert_eq!(error.charge(), Charge::Unknown);
}

#[tokio::test]
async fn sixteen_pictures_and_a_mask_arrive() {
    let emulator = pessimistic().await;
    let png = include_bytes!("../../../../tests/fixtures/rgba-4x4.png");
    let request = EditRequest::builder("All of them", (0..16).map(|_| ImageInput::bytes(&png[..])))
        .mask(ImageInput::bytes(&png[..]))
        .build()
        .unwrap();
    let generated = client(&emulator).edit(&request).send().await.unwrap();
    assert_eq!(generated.images().len(), 1);
    assert_eq!(emulator.ledger()[0].input_images, 16);
}
