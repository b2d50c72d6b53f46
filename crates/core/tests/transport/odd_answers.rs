//! Successes in forms that the API does not have: nothing in them is lost, and nothing is made up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gptimage_core::{Charge, ErrorKind, SaveTo};
use gptimage_emulator::{Emulator, Fault};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::common::{client, config, judge, padded_png, pessimistic, request};

async fn answering(content_type: &str, body: impl Into<bytes::Bytes>) -> Emulator {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(200).raw_body(content_type, body.into()).always());
    emulator
}

fn base64(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

/// A server of one picture, whatever is asked for. Counts what it gave.
async fn cdn(picture: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let given = Arc::new(AtomicUsize::new(0));
    let count = given.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (picture, count) = (picture.clone(), count.clone());
            tokio::spawn(async move {
                let _ = socket.read(&mut [0; 4096]).await;
                count.fetch_add(1, Ordering::SeqCst);
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", picture.len());
                let _ = socket.write_all(head.as_bytes()).await;
                let _ = socket.write_all(&picture).await;
            });
        }
    });
    (origin, given)
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_kept_whole_beside_the_target() {
    let emulator = answering("application/json", r#"{"data":[{"status":"submitted","task_id":"task_1"}]}"#).await;
    let folder = tempfile::tempdir().unwrap();
    let outcome = client(&emulator).generate(&request()).save_to(folder.path().join("hat.png")).send().await;
    judge(&emulator, &outcome, 1).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::ResponseInvalid, Charge::Unknown));
    assert_eq!(error.task_id(), Some("task_1"));
    let path = error.response_file().unwrap();
    assert_eq!(path, folder.path().join("hat.answer.json"));
    // Threat: odd-answer
    assert!(std::fs::read_to_string(path).unwrap().contains("task_1"));
    assert!(error.message().contains("hat.answer.json"), "{error}");
    let shown = serde_json::to_value(&error).unwrap();
    assert_eq!(shown["task_id"], "task_1");
    assert_eq!(shown["response_file"], path.to_str().unwrap());
    assert!(shown["response_body"].as_str().unwrap().contains("submitted"));
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["hat.answer.json"], "no temporary file is left");
}

#[tokio::test]
async fn it_is_kept_in_the_salvage_folder_or_in_memory_where_there_is_no_target() {
    let emulator = answering("text/html", "<!doctype html><title>Sign in</title>").await;
    let folder = tempfile::tempdir().unwrap();
    let with_folder = config(&emulator).salvage_folder(folder.path()).build().unwrap();
    let error = with_folder.generate(&request()).send().await.unwrap_err();
    let path = error.response_file().unwrap();
    assert!(path.starts_with(folder.path()), "{path:?}");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "<!doctype html><title>Sign in</title>");
    assert!(with_folder.collect().is_empty(), "it is no record");

    let error = client(&emulator).generate(&request()).send().await.unwrap_err();
    assert_eq!(error.response_file(), None);
    assert_eq!(&error.response_bytes().unwrap()[..], b"<!doctype html><title>Sign in</title>");
}

/// Longer than what is parsed, with the key in it at the borders of the pieces.
#[tokio::test]
async fn a_long_text_is_kept_whole_without_the_key() {
    let emulator = pessimistic().await;
    let key = emulator.key().to_owned();
    let word = format!("some words, {key}, ");
    let text = word.repeat((5 << 20) / word.len());
    emulator.fault(Fault::answer(200).raw_body("text/plain", text.clone()).always());
    let folder = tempfile::tempdir().unwrap();
    let error = client(&emulator).generate(&request()).save_to(folder.path().join("hat.png")).send().await.unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::ResponseInvalid, Charge::Unknown));
    let kept = std::fs::read_to_string(error.response_file().unwrap()).unwrap();
    assert_eq!(kept, text.replace(&key, "<redacted>"));
    assert!(error.response_body().unwrap().len() <= 64 << 10);
}

/// More than may come for one picture, of a server that never ends.
#[tokio::test]
async fn what_is_kept_is_bounded_by_what_was_asked_for() {
    let emulator = pessimistic().await;
    let text = "x".repeat(8 << 20);
    emulator.fault(Fault::answer(200).raw_body("text/plain", text).always());
    let folder = tempfile::tempdir().unwrap();
    let client = config(&emulator).max_image_bytes(1 << 20).build().unwrap();
    let error = client.generate(&request()).save_to(folder.path().join("hat.png")).send().await.unwrap_err();
    let kept = std::fs::metadata(error.response_file().unwrap()).unwrap().len();
    // Threat: too-many-pictures
    assert!((1 << 20..6 << 20).contains(&kept), "{kept}");
}

#[tokio::test]
async fn more_pictures_than_asked_are_all_kept_and_replace_nothing() {
    let (one, two, three) = (padded_png(300), padded_png(400), padded_png(500));
    let data = [&one, &two, &three].map(|png| json!({"b64_json": base64(png)}));
    let emulator = answering("application/json", json!({"data": data}).to_string()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("hat.png"), "old").unwrap();
    std::fs::write(path("hat-2.png"), "somebody's").unwrap();
    let target = SaveTo::from(path("hat.png")).overwrite(true);
    let generated = client(&emulator).generate(&request()).save_to(target).send().await.unwrap();
    let paths: Vec<_> = generated.images().iter().map(|image| image.path().unwrap().to_owned()).collect();
    assert_eq!(paths, [path("hat.png"), path("hat-2-1.png"), path("hat-3.png")]);
    for (path, png) in paths.iter().zip([one, two, three]) {
        assert_eq!(std::fs::read(path).unwrap(), png);
    }
    assert_eq!(std::fs::read_to_string(path("hat-2.png")).unwrap(), "somebody's");
    assert!(generated.warnings().iter().any(|warning| warning.kind() == "more_images"));
}

#[tokio::test]
async fn linked_pictures_are_bounded_by_what_was_asked_for_and_the_rest_stays_at_its_urls() {
    const SIZE: usize = 400 << 10;
    let (origin, given) = cdn(padded_png(SIZE)).await;
    let data: Vec<_> = (0..64).map(|number| json!({"url": format!("{origin}/{number}.png")})).collect();
    let emulator = answering("application/json", json!({"data": data}).to_string()).await;
    let client = config(&emulator).max_image_bytes(1 << 20).build().unwrap();
    let generated = client.generate(&request()).send().await.unwrap();
    assert_eq!(generated.images().len(), 64);
    let here: usize = generated.images().iter().filter_map(|image| image.bytes()).map(bytes::Bytes::len).sum();
    // Threat: too-many-pictures
    assert_eq!(here, 2 * SIZE, "as many as one picture may be large");
    assert!(generated.images().iter().skip(2).all(|image| image.url().is_some()));
    let kinds: Vec<_> = generated.warnings().iter().map(|warning| warning.kind().to_owned()).collect();
    assert!(kinds.contains(&"surplus_at_url".to_owned()) && kinds.contains(&"more_images".to_owned()), "{kinds:?}");
    assert!(given.load(Ordering::SeqCst) <= 64);
}

/// 256 MiB in a quarter of one.
#[tokio::test]
async fn a_compressed_answer_that_grows_beyond_all_bounds_is_cut() {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"{\"data\":[{\"b64_json\":\"").unwrap();
    for _ in 0..256 {
        encoder.write_all(&vec![b'A'; 1 << 20]).unwrap();
    }
    let emulator = pessimistic().await;
    let bomb = encoder.finish().unwrap();
    let fault = Fault::answer(200).raw_body("application/json", bomb).header("content-encoding", "gzip").always();
    emulator.fault(fault);
    let client = config(&emulator).max_image_bytes(1 << 20).build().unwrap();
    let error = client.generate(&request()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::ResponseInvalid, Charge::Charged));
    // Threat: compression-bomb
    assert!(error.message().contains("over 1048576 bytes"), "{error}");
}

#[tokio::test]
async fn a_refusal_at_a_price_that_cannot_be_read_is_not_repeated_and_keeps_its_reservation() {
    for (name, value) in [
        ("x-aimlapi-usd-spent", "$0.05"),
        ("x-aimlapi-usd-spent", "0.0500000000000000000001"),
        ("x-aimlapi-credits-used", ""),
    ] {
        let emulator = pessimistic().await;
        emulator.fault(Fault::answer(429).header("retry-after", "0").header(name, value).always());
        let budget = gptimage_core::Budget::new("0.60".parse().unwrap());
        let client = config(&emulator).budget(&budget).build().unwrap();
        let error = client.generate(&request()).send().await.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::RateLimited, Charge::Unknown), "{name}: {value}");
        // Threat: odd-price
        assert_eq!(error.attempts().len(), 1, "{name}: {value}");
        assert_eq!(budget.status().assumed_usd.to_string(), "0.5", "{name}: {value}");
        assert_eq!(client.generate(&request()).send().await.unwrap_err().kind(), ErrorKind::BudgetExceeded);
    }
}

/// A success at a price of which a part cannot be read counts as what was reserved for it.
#[tokio::test]
async fn a_price_that_cannot_be_read_fills_a_budget() {
    let emulator = pessimistic().await;
    let body = json!({"data": [{"b64_json": base64(&padded_png(300))}], "meta": {"usage": {"usd_spent": 0, "credits_used": "some"}}});
    emulator.fault(Fault::answer(200).raw_body("application/json", body.to_string()).always());
    let budget = gptimage_core::Budget::new("0.60".parse().unwrap());
    let client = config(&emulator).budget(&budget).build().unwrap();
    let generated = client.generate(&request()).send().await.unwrap();
    assert_eq!(generated.cost(), None);
    assert_eq!(budget.status().assumed_usd.to_string(), "0.5");
}
