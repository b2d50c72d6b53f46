//! Bodies on their way out: exact, counted, and never of files that changed.

use std::io::Write;
use std::time::Duration;

use gptimage_core::{Charge, EditRequest, ErrorKind, ImageInput, Phase, ResponseFormat};
use gptimage_emulator::{Cut, Early, Emulator, ErrorBody, Fault, Side};

use crate::common::{client, judge, padded_png, pessimistic, start, upload};

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
    client(&emulator).edit(&request).await.unwrap();
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
            std::thread::sleep(Duration::from_millis(20));
            std::fs::write(path, padded_png(100_000)).unwrap();
        }),
        ("removed", |path| std::fs::remove_file(path).unwrap()),
    ];
    for (name, change) in changes {
        let emulator = pessimistic().await;
        std::fs::write(&path, padded_png(100_000)).unwrap();
        let request = edit(&path);
        change(&path);
        let outcome = client(&emulator).edit(&request).await;
        judge(&emulator, &outcome, 0).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Io, Charge::NotCharged), "{name}: {error}");
        assert_eq!(error.attempts().len(), 1, "{name}: another attempt would find the same");
    }
}

#[tokio::test]
async fn a_file_that_changes_during_the_upload_is_noticed_before_its_last_byte() {
    for change in ["truncated", "grown"] {
        let emulator = pessimistic().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.png");
        std::fs::write(&path, padded_png(40 << 20)).unwrap();
        let request = edit(&path);
        // The server stops reading in the middle, and the upload with it.
        emulator.fault(Fault::early(200, 1 << 20, Early::Drain).charged(true));
        emulator.clear_faults();
        emulator.fault(Fault::cut_request(8 << 20, Cut::Silence));
        let client = client(&emulator);
        let changing = async {
            while emulator.ledger().first().is_none_or(|entry| entry.bytes_received < 1 << 20) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(if change == "truncated" { 9 << 20 } else { 41 << 20 }).unwrap();
        };
        let call = client.edit(&request).deadline(Duration::from_secs(5));
        let (outcome, ()) = tokio::join!(std::future::IntoFuture::into_future(call), changing);
        judge(&emulator, &outcome, 0).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.charge(), Charge::NotCharged, "{change}: {error}");
    }
}

#[tokio::test]
async fn an_early_refusal_is_the_error_to_report() {
    for status in [401, 413, 429] {
        for manner in [Early::Drain, Early::HalfClose] {
            let emulator = pessimistic().await;
            emulator.fault(Fault::early(status, 1 << 20, manner).body(ErrorBody::documented("Refused")).always());
            let outcome = client(&emulator).edit(&upload(24 << 20)).await;
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
    let outcome = client(&emulator).edit(&upload(24 << 20)).await;
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
    let outcome = gptimage_core::Client::new(config).unwrap().edit(&upload(40 << 20)).await;
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
    let error = client(&emulator).generate(&crate::common::request()).await.unwrap_err();
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
    let generated = client(&emulator).edit(&request).await.unwrap();
    assert_eq!(generated.images().len(), 1);
    assert_eq!(emulator.ledger()[0].input_images, 16);
}
