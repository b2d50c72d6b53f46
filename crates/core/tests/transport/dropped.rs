//! Callers that go: dropped futures, deadlines and cancel tokens, at every phase.

use std::sync::Arc;
use std::time::Duration;

use gptimage_core::{CancelToken, Charge, Client, ErrorKind, Phase};
use gptimage_emulator::{CdnFault, Cut, Emulator, ErrorBody, Fault};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::common::{
    Outcome, arrived, client, config, drop_when, judge, pessimistic, request, request_by_url, timers, upload,
};

/// Long enough for anything to have gone wrong by then, short enough to wait for.
const CALLER_LEAVES_AFTER: Duration = Duration::from_millis(150);

/// Drops a call's future after a while, and returns what is kept once the attempt has ended.
async fn drop_call(emulator: &Emulator, client: &Client, call: gptimage_core::Call) -> Vec<Outcome> {
    drop_when(tokio::time::sleep(CALLER_LEAVES_AFTER), call).await;
    kept(emulator, client).await
}

/// Drops a call's future once it may be charged, and returns what is kept once the attempt has ended.
async fn drop_sent_call(emulator: &Emulator, client: &Client, call: gptimage_core::Call) -> Vec<Outcome> {
    drop_when(arrived(emulator, 1), call).await;
    kept(emulator, client).await
}

async fn kept(emulator: &Emulator, client: &Client) -> Vec<Outcome> {
    client.drain().await;
    emulator.wait_idle().await;
    client.collect()
}

#[tokio::test]
async fn dropped_while_connecting_nothing_is_sent() {
    let emulator = pessimistic().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let client = config(&emulator).base_url(url).build().unwrap();
    assert!(drop_call(&emulator, &client, client.generate(&request())).await.is_empty());
}

#[tokio::test]
async fn dropped_while_sending_the_gate_closes() {
    let emulator = pessimistic().await;
    // The server reads nothing for a while, and then everything that was sent.
    emulator.fault(Fault::cut_request(100_000, Cut::Silence));
    let client = client(&emulator);
    assert!(drop_call(&emulator, &client, client.edit(&upload(24 << 20))).await.is_empty());
    assert!(emulator.ledger().iter().all(|entry| !entry.arrived_whole));
    assert_eq!(emulator.charges(), 0);
}

#[tokio::test]
async fn dropped_after_sending_the_result_is_kept() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::delay(Duration::from_millis(400)));
    let client = client(&emulator);
    let kept = drop_sent_call(&emulator, &client, client.generate(&request())).await;
    let [outcome] = &kept[..] else { panic!("{kept:#?}") };
    // Threat: caller-gone
    judge(&emulator, outcome, 1).await;
    assert_eq!(outcome.as_ref().unwrap().image().unwrap().dimensions(), Some((1024, 1024)));
    assert!(client.collect().is_empty(), "each result is handed over once");
}

#[tokio::test]
async fn dropped_after_sending_files_are_still_written() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t-rex.png");
    emulator.fault(Fault::pause(100_000, Duration::from_millis(400)));
    let client = client(&emulator);
    let kept = drop_sent_call(&emulator, &client, client.generate(&request()).save_to(&path)).await;
    assert_eq!(kept[0].as_ref().unwrap().image().unwrap().path(), Some(path.as_path()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "and nothing else stands beside it");
}

#[tokio::test]
async fn dropped_during_the_download_the_result_is_kept() {
    let emulator = pessimistic().await;
    emulator.cdn_fault(CdnFault::pause(1000, Duration::from_millis(400)));
    let client = client(&emulator);
    let kept = drop_sent_call(&emulator, &client, client.generate(&request_by_url())).await;
    judge(&emulator, &kept[0], 1).await;
    assert!(kept[0].as_ref().unwrap().image().unwrap().bytes().is_some());
}

#[tokio::test]
async fn a_failure_that_may_be_charged_is_kept_too() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::delay(Duration::from_millis(400)).then_cut(0, Cut::Rst));
    let client = client(&emulator);
    let kept = drop_sent_call(&emulator, &client, client.generate(&request())).await;
    assert_eq!(kept[0].as_ref().unwrap_err().kind(), ErrorKind::OutcomeUnknown);
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(400).body(ErrorBody::documented("No")).then_pause(50, Duration::from_millis(400)));
    let client = client(&emulator);
    assert!(drop_call(&emulator, &client, client.generate(&request())).await.is_empty());
}

#[tokio::test]
async fn abort_gives_up_what_may_be_paid() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::delay(Duration::from_millis(400)));
    let client = config(&emulator).abort_on_cancel(true).build().unwrap();
    assert!(drop_sent_call(&emulator, &client, client.generate(&request())).await.is_empty());
    assert_eq!(emulator.charges(), 1, "which is what the caller asked for in words");
}

#[tokio::test]
async fn dropped_between_two_attempts_there_is_no_second() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(429).body(ErrorBody::Empty).header("Retry-After", "30"));
    let client = client(&emulator);
    assert!(drop_call(&emulator, &client, client.generate(&request())).await.is_empty());
    assert_eq!(emulator.ledger().len(), 1);
}

#[tokio::test]
async fn dropped_during_the_second_attempt_the_result_lists_both() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(429).body(ErrorBody::Empty).header("Retry-After", "0"));
    emulator.fault(Fault::delay(Duration::from_secs(1)));
    let client = client(&emulator);
    let sent = Arc::new(Notify::new());
    let second = sent.clone();
    let call = client.generate(&request()).progress(move |progress| {
        if progress.attempt == 2 && progress.phase == Phase::Sent {
            second.notify_one();
        }
    });
    tokio::select! {
        biased;
        () = sent.notified() => {}
        outcome = call.send() => panic!("the fault must hold the call up: {outcome:?}"),
    }
    client.drain().await;
    emulator.wait_idle().await;
    let kept = client.collect();
    let [outcome] = &kept[..] else { panic!("{kept:#?}") };
    judge(&emulator, outcome, 1).await;
    let attempts = outcome.as_ref().unwrap().attempts();
    let listed: Vec<_> = attempts.iter().map(|attempt| (attempt.number, attempt.charge)).collect();
    assert_eq!(listed, [(1, Charge::NotCharged), (2, Charge::Charged)]);
}

#[tokio::test]
async fn a_full_salvage_store_pushes_out_the_oldest() {
    let emulator = pessimistic().await;
    let client = config(&emulator).salvage_max_bytes(800_000).build().unwrap();
    for calls in 1..=3 {
        emulator.fault(Fault::delay(Duration::from_millis(400)));
        drop_when(arrived(&emulator, calls), client.generate(&request())).await;
    }
    client.drain().await;
    let kept = client.collect();
    let bytes: u64 = kept.iter().flatten().filter_map(|kept| kept.image()?.len_bytes()).sum();
    assert!(!kept.is_empty() && kept.len() < 3 && bytes <= 800_000, "{} results, {bytes} bytes", kept.len());
}

/// A call whose deadline comes while a fault holds it up, long before that lets it go.
async fn past_its_deadline(fault: Fault, cdn: Option<CdnFault>, large: bool, expected: (ErrorKind, Charge, Phase)) {
    let emulator = pessimistic().await;
    emulator.fault(fault);
    let call = match (large, &cdn) {
        (true, _) => client(&emulator).edit(&upload(24 << 20)),
        (false, None) => client(&emulator).generate(&request()),
        (false, Some(_)) => client(&emulator).generate(&request_by_url()),
    };
    let by_url = cdn.is_some();
    cdn.into_iter().for_each(|fault| emulator.cdn_fault(fault));
    let outcome = call.deadline(Duration::from_secs(4)).send().await;
    judge(&emulator, &outcome, 1).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.kind(), error.charge(), error.attempts()[0].phase), expected, "{error:?}");
    assert!(error.is_timeout());
    assert_eq!(error.generated().is_some(), by_url, "a link that is known is handed over");
}

#[tokio::test]
async fn a_deadline_in_each_phase() {
    let held = Duration::from_secs(12);
    // At once, for most of it is waiting.
    tokio::join!(
        past_its_deadline(
            Fault::cut_request(100_000, Cut::Silence),
            None,
            true,
            (ErrorKind::Connection, Charge::NotCharged, Phase::Sending),
        ),
        past_its_deadline(Fault::delay(held), None, false, (ErrorKind::OutcomeUnknown, Charge::Unknown, Phase::Sent),),
        past_its_deadline(
            Fault::pause(100_000, held),
            None,
            false,
            (ErrorKind::ResponseInvalid, Charge::Charged, Phase::HeadReceived),
        ),
        past_its_deadline(
            Fault::delay(Duration::ZERO),
            Some(CdnFault::pause(1000, held)),
            false,
            (ErrorKind::DownloadFailed, Charge::Charged, Phase::BodyComplete),
        ),
    );
}

#[tokio::test]
async fn what_a_deadline_cuts_off_can_be_collected() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::delay(Duration::from_millis(400)));
    let client = client(&emulator);
    let error = client.generate(&request()).deadline(CALLER_LEAVES_AFTER).send().await.unwrap_err();
    client.drain().await;
    let kept = client.collect();
    let generated = kept[0].as_ref().unwrap();
    assert_eq!(generated.client_request_id(), Some(error.attempts()[0].client_request_id.as_str()));
}

#[tokio::test]
async fn a_token_cancels_in_each_phase() {
    for (fault, large, phase, charge) in [
        (Fault::cut_request(100_000, Cut::Silence), true, Phase::Sending, Charge::NotCharged),
        (Fault::delay(Duration::from_secs(2)), false, Phase::Sent, Charge::Unknown),
        (Fault::pause(100_000, Duration::from_secs(2)), false, Phase::HeadReceived, Charge::Charged),
    ] {
        let emulator = pessimistic().await;
        emulator.fault(fault);
        let client = client(&emulator);
        let call = if large { client.edit(&upload(24 << 20)) } else { client.generate(&request()) };
        let token = CancelToken::new();
        let cancel = token.clone();
        let call = call.progress(move |progress| {
            if progress.phase >= phase {
                cancel.cancel();
            }
        });
        let outcome = call.cancel(&token).send().await;
        judge(&emulator, &outcome, 1).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Cancelled, charge));
        assert_eq!(error.attempts().len(), 1);
    }
}

#[tokio::test]
async fn a_token_that_was_cancelled_before_sends_nothing() {
    let emulator = pessimistic().await;
    let token = CancelToken::new();
    token.cancel();
    let error = client(&emulator).edit(&upload(24 << 20)).cancel(&token).send().await.unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::Cancelled, Charge::NotCharged));
    emulator.wait_idle().await;
    assert_eq!(emulator.charges(), 0);
}

#[tokio::test]
async fn a_runtime_that_ends_takes_its_calls_along_without_a_panic() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::delay(Duration::from_secs(60)));
    let mut slow = timers();
    slow.response_header = Duration::from_secs(60);
    let client = config(&emulator).timers(slow).build().unwrap();
    let inner = client.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let _ = timeout(CALLER_LEAVES_AFTER, inner.generate(&request()).send()).await;
        });
    })
    .join()
    .unwrap();
    let kept = client.collect();
    let error = kept[0].as_ref().unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::Internal, Charge::Unknown));
}
