//! A client, an emulator, and the judge between them.

use std::time::Duration;

use gptimage_core::{
    Attempt, Charge, Client, ClientBuilder, EditRequest, Error, GenerateRequest, Generated, ImageInput, Phase,
    ResponseFormat, Timers,
};
use gptimage_emulator::{Billing, Emulator, EmulatorBuilder};

/// The pessimistic gateway: whatever arrived whole is charged.
pub(crate) async fn pessimistic() -> Emulator {
    start(Emulator::builder().billing(Billing::Pessimistic)).await
}

pub(crate) async fn start(builder: EmulatorBuilder) -> Emulator {
    builder.start().await.unwrap()
}

/// Waits that a test can afford, long enough to be no race.
pub(crate) fn timers() -> Timers {
    let mut timers = Timers::default();
    timers.initial_backoff = Duration::from_millis(1);
    timers.max_backoff = Duration::from_millis(2);
    timers.url_not_found = Duration::from_millis(300);
    timers
}

/// Waits until so many calls have arrived whole: each of them may be charged.
pub(crate) async fn arrived(emulator: &Emulator, count: usize) {
    while emulator.ledger().iter().filter(|entry| entry.arrived_whole).count() < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Drops a call as soon as a condition holds, which has to be before its end.
pub(crate) async fn drop_when(condition: impl Future<Output = ()>, call: gptimage_core::Call) {
    tokio::select! {
        outcome = call.send() => panic!("the fault must hold the call up: {outcome:#?}"),
        () = condition => {}
    }
}

pub(crate) fn config(emulator: &Emulator) -> ClientBuilder<Client> {
    Client::builder().api_key(emulator.key()).base_url(emulator.base_url()).timers(timers())
}

pub(crate) fn client(emulator: &Emulator) -> Client {
    config(emulator).build().unwrap()
}

/// A small call whose answer holds its picture.
pub(crate) fn request() -> GenerateRequest {
    GenerateRequest::builder("A T-Rex").response_format(ResponseFormat::B64Json).build().unwrap()
}

pub(crate) fn request_by_url() -> GenerateRequest {
    GenerateRequest::builder("A T-Rex").build().unwrap()
}

/// A PNG of about this many bytes, most of them in a chunk that decoders skip.
pub(crate) fn padded_png(bytes: usize) -> Vec<u8> {
    let small = include_bytes!("../../../../tests/fixtures/rgba-4x4.png");
    let (head, rest) = small.split_at(33);
    let padding = bytes.saturating_sub(small.len() + 12);
    let mut png = head.to_vec();
    png.extend_from_slice(&u32::try_from(padding).unwrap().to_be_bytes());
    png.extend_from_slice(b"paDd");
    png.resize(png.len() + padding, 7);
    png.extend_from_slice(&[0; 4]);
    png.extend_from_slice(rest);
    png
}

/// An edit whose body is about this long.
pub(crate) fn upload(bytes: usize) -> EditRequest {
    EditRequest::builder("A crown", [ImageInput::bytes(padded_png(bytes))])
        .response_format(ResponseFormat::B64Json)
        .build()
        .unwrap()
}

pub(crate) type Outcome = Result<Generated, Error>;

pub(crate) fn attempts(outcome: &Outcome) -> &[Attempt] {
    match outcome {
        Ok(generated) => generated.attempts(),
        Err(error) => error.attempts(),
    }
}

/// Compares an outcome with the emulator's ledger. `allowed`: how often the caller said in words that it may be charged.
pub(crate) async fn judge(emulator: &Emulator, outcome: &Outcome, allowed: u64) {
    emulator.wait_idle().await;
    let attempts = attempts(outcome);
    let ledger = emulator.ledger();
    let context = || format!("\noutcome: {outcome:#?}\nledger: {ledger:#?}");
    assert!(emulator.charges() <= allowed, "charged more often than allowed{}", context());
    for entry in &ledger {
        let Some(id) = &entry.client_request_id else { continue };
        let same: Vec<_> = attempts.iter().filter(|attempt| &attempt.client_request_id == id).collect();
        let [attempt] = same[..] else {
            panic!("id {id} stands {} times in the attempt list{}", same.len(), context())
        };
        if attempt.charge == Charge::NotCharged {
            assert!(entry.charge.is_none(), "{id} is called not charged, and was{}", context());
            let refused = attempt.http_status.is_some_and(|status| (400..500).contains(&status));
            assert!(!entry.arrived_whole || refused, "{id} arrived whole and is called not charged{}", context());
        }
        if attempt.bytes_sent < attempt.bytes_total {
            assert!(!entry.arrived_whole, "{id} was not handed over whole, and arrived whole{}", context());
        }
    }
    for attempt in attempts {
        if !ledger.iter().any(|entry| entry.client_request_id.as_ref() == Some(&attempt.client_request_id)) {
            assert_ne!(attempt.charge, Charge::Charged, "the server never saw it{}", context());
        }
    }
    if let Err(error) = outcome {
        let worst = attempts.iter().map(|attempt| attempt.charge).max().unwrap_or(Charge::NotCharged);
        assert_eq!(error.charge(), worst, "the error says what its attempts say{}", context());
        if emulator.charges() > 0 {
            assert_ne!(error.charge(), Charge::NotCharged, "a charge is not reported{}", context());
        }
    }
    let generated = match outcome {
        Ok(generated) => Some(generated),
        Err(error) => error.generated(),
    };
    if let Ok(generated) = outcome {
        assert_eq!(generated.attempts().last().map(|attempt| attempt.phase), Some(Phase::Stored), "{}", context());
    }
    for image in generated.map(Generated::images).unwrap_or_default() {
        if let (Some(format), Some(bytes)) = (image.format(), image.bytes()) {
            assert_eq!(gptimage_core::ImageFormat::sniff(bytes), Some(format));
        }
    }
}
