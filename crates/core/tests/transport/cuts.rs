//! Cuts at every byte offset of one exchange, and along one large upload.

use std::sync::Arc;
use std::time::Duration;

use gptimage_core::{Charge, Client, ErrorKind, Phase};
use gptimage_emulator::{Billing, Cut, Emulator, Fault};

use crate::common::{Outcome, attempts, config, judge, request, timers, upload};

/// The smallest picture: an answer of it can be cut everywhere.
const PICTURE: &[u8] = include_bytes!("../../../../tests/fixtures/rgb-4x4.png");

async fn emulator() -> Emulator {
    crate::common::start(Emulator::builder().billing(Billing::Pessimistic).canned(PICTURE)).await
}

/// Only silence is waited for: then long enough that a busy machine is not taken for a silent one.
fn client(emulator: &Emulator, cut: Cut) -> Client {
    let mut timers = timers();
    if cut == Cut::Silence {
        let silence = Duration::from_secs(1);
        (timers.response_header, timers.read, timers.write) = (silence, silence, silence);
    }
    config(emulator).timers(timers).max_attempts(1).build().unwrap()
}

/// The kind follows from the attempt's own phase and count, whatever the offset was.
fn check_kind(outcome: &Outcome, offset: u64) {
    let [attempt] = attempts(outcome) else { panic!("one attempt: {outcome:#?}") };
    let Err(error) = outcome else { return };
    let expected = match attempt.phase {
        Phase::Planned | Phase::Connecting | Phase::Sending => (ErrorKind::Connection, Charge::NotCharged),
        Phase::Sent => (ErrorKind::OutcomeUnknown, Charge::Unknown),
        Phase::HeadReceived => (ErrorKind::ResponseInvalid, Charge::Charged),
        other => panic!("offset {offset}: {other}: {outcome:#?}"),
    };
    assert_eq!((error.kind(), error.charge()), expected, "offset {offset}: {outcome:#?}");
}

/// What is cut.
#[derive(Clone, Copy, PartialEq)]
enum Job {
    /// JSON.
    Generate,
    /// A form that fits into one packet.
    Small,
    /// A form larger than the socket buffers.
    Large,
}

impl Job {
    async fn run(self, client: &Client) -> Outcome {
        match self {
            Self::Generate => client.generate(&request()).send().await,
            Self::Small => client.edit(&upload(PICTURE.len())).send().await,
            Self::Large => client.edit(&upload(12 << 20)).send().await,
        }
    }
}

/// Runs `fault(offset)` for each offset, some at once, each on an emulator of its own.
async fn sweep(
    offsets: impl Iterator<Item = u64>,
    cut: Cut,
    fault: impl Fn(u64, Cut) -> Fault,
    job: Job,
) -> Vec<Outcome> {
    let at_once = if cut == Cut::Silence && job != Job::Large { 96 } else { 16 };
    let permits = Arc::new(tokio::sync::Semaphore::new(at_once));
    let mut running = tokio::task::JoinSet::new();
    for offset in offsets {
        let (permits, fault) = (permits.clone(), fault(offset, cut));
        running.spawn(async move {
            let _permit = permits.acquire_owned().await.unwrap();
            let emulator = emulator().await;
            emulator.fault(fault);
            let client = client(&emulator, cut);
            let outcome = job.run(&client).await;
            judge(&emulator, &outcome, 1).await;
            check_kind(&outcome, offset);
            (offset, outcome)
        });
    }
    let mut outcomes: Vec<_> = running.join_all().await;
    outcomes.sort_by_key(|(offset, _)| *offset);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// How long the exchange is: its request, and its answer with status line and headers.
async fn lengths(job: Job) -> (u64, u64) {
    let emulator = emulator().await;
    let generated = job.run(&client(&emulator, Cut::Fin)).await.unwrap();
    let recorded = emulator.requests();
    let request = &recorded[0];
    let head: usize = request.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    let line = request.method.len() + request.target.len() + " HTTP/1.1\r\n".len() + 1;
    let answer = serde_json::to_string(generated.response()).unwrap().len() + PICTURE.len() * 4 / 3;
    ((line + head + 2) as u64 + request.body_len, answer as u64 + 700)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_offset_of_the_request() {
    for job in [Job::Generate, Job::Small] {
        let (length, _) = lengths(job).await;
        for cut in [Cut::Fin, Cut::Rst, Cut::Silence] {
            let outcomes = sweep(0..=length, cut, Fault::cut_request, job).await;
            // Threat: false-not-charged
            assert!(outcomes.iter().all(Result::is_err), "a cut request has no answer");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_offset_of_the_answer() {
    every_offset_of_the_answer_to(Job::Generate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_offset_of_the_answer_to_a_form() {
    every_offset_of_the_answer_to(Job::Small).await;
}

async fn every_offset_of_the_answer_to(job: Job) {
    let (_, length) = lengths(job).await;
    for cut in [Cut::Fin, Cut::Rst, Cut::Silence] {
        let outcomes = sweep(0..length, cut, Fault::cut_response, job).await;
        let whole = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert!(whole > 0, "beyond the answer's end nothing is cut");
        let broken = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert!(broken > 300, "{broken} offsets are within the answer");
        let first_whole = outcomes.iter().position(Result::is_ok).unwrap();
        for (offset, outcome) in outcomes.iter().enumerate().skip(first_whole) {
            assert!(outcome.is_ok(), "{cut:?}: whole from {first_whole} on, but not at {offset}: {outcome:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn along_an_upload_larger_than_the_socket_buffers() {
    // Around every border that means something, and in strides between.
    let length: u64 = 12 << 20;
    let borders = [0, 1, 200, 1000, 1 << 18, 1 << 20, 6 << 20, length - (1 << 20), length - 1000, length];
    let offsets = borders.into_iter().chain((1..24).map(|step| step * length / 24));
    let mut all = Vec::new();
    for cut in [Cut::Fin, Cut::Rst, Cut::Silence] {
        all.extend(sweep(offsets.clone(), cut, Fault::cut_request, Job::Large).await);
    }
    let unsent = all.iter().filter(|outcome| attempts(outcome)[0].charge == Charge::NotCharged).count();
    assert!(unsent > 30, "most cuts prove that nothing was charged: {unsent} of {}", all.len());
}
