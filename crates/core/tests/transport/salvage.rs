//! What runs on without its caller: listed, kept in a folder across clients, given up where that is asked for.

use std::future::IntoFuture;
use std::time::Duration;

use gptimage_core::{Charge, Client, ErrorKind, Location, Phase};
use gptimage_emulator::{CdnFault, Cut, Emulator, Fault};
use tokio::time::timeout;

use crate::common::{Outcome, client, config, judge, pessimistic, request, request_by_url};

const PATIENCE: Duration = Duration::from_millis(150);

async fn leave(client: &Client) {
    let call = client.generate(&request()).into_future();
    assert!(timeout(PATIENCE, call).await.is_err(), "the fault must hold the call up");
}

fn late(emulator: &Emulator) {
    emulator.fault(Fault::delay(Duration::from_millis(400)));
}

fn with_folder(emulator: &Emulator, folder: &std::path::Path) -> Client {
    Client::new(config(emulator).salvage_folder(folder)).unwrap()
}

#[tokio::test]
async fn pending_lists_what_runs_and_what_waits_to_be_collected() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    assert!(client.pending().is_empty());
    late(&emulator);
    leave(&client).await;
    let running = client.pending();
    assert_eq!((running.len(), running[0].phase, running[0].ended), (1, Phase::Sent, false));
    client.drain().await;
    let ended = client.pending();
    assert_eq!((ended.len(), ended[0].phase, ended[0].ended), (1, Phase::Stored, true));
    assert_eq!(running[0].client_request_id, ended[0].client_request_id);
    assert_eq!(client.collect().len(), 1);
    assert!(client.pending().is_empty());
}

#[tokio::test]
async fn what_is_in_its_file_does_not_end_with_the_process() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let client = client(&emulator);
    for (number, path) in [None, Some(folder.path().join("t-rex.png"))].into_iter().enumerate() {
        late(&emulator);
        let request = request();
        let call = client.generate(&request);
        let call = match path {
            Some(path) => call.save_to(path),
            None => call,
        };
        assert!(timeout(PATIENCE, call.into_future()).await.is_err());
        client.drain().await;
        assert_eq!((client.pending().len(), client.watch().uncollected().len()), (number + 1, 1));
    }
}

#[tokio::test]
async fn a_folder_keeps_results_for_another_client() {
    let emulator = pessimistic().await;
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("not/there yet");
    let client = with_folder(&emulator, &folder);
    late(&emulator);
    leave(&client).await;
    client.drain().await;
    // As if in another process: nothing is shared but the folder.
    drop(client);
    let another = with_folder(&emulator, &folder);
    let pending = another.pending();
    assert_eq!((pending.len(), pending[0].ended), (1, true));
    let kept = another.collect();
    let [outcome] = &kept[..] else { panic!("{kept:#?}") };
    judge(&emulator, outcome, 1).await;
    let image = outcome.as_ref().unwrap().image().unwrap();
    assert!(matches!(image.location(), Location::File(path) if path.starts_with(&folder)), "{image:?}");
    assert_eq!(image.dimensions(), Some((1024, 1024)));
    assert!(another.collect().is_empty() && another.pending().is_empty(), "each result is handed over once");
    let ledger = emulator.ledger();
    assert_eq!(outcome.as_ref().unwrap().cost().unwrap().usd.unwrap().to_string(), ledger[0].charge.unwrap().usd());
}

#[tokio::test]
async fn a_folder_keeps_errors_with_what_was_paid_for() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let client = with_folder(&emulator, folder.path());
    // The answer is cut behind its first kilobytes: a part of a picture was paid for.
    emulator.fault(Fault::delay(Duration::from_millis(400)).then_cut(20_000, Cut::Fin));
    leave(&client).await;
    client.drain().await;
    let kept = with_folder(&emulator, folder.path()).collect();
    let [Err(error)] = &kept[..] else { panic!("{kept:#?}") };
    assert_eq!((error.kind(), error.charge()), (ErrorKind::ResponseInvalid, Charge::Charged));
    assert_eq!(error.attempts().len(), 1);
    let image = error.generated().unwrap().image().unwrap();
    assert!(image.read().unwrap().len() > 1000, "what came of it is kept, too: {image:?}");
    judge(&emulator, &kept[0], 1).await;
}

#[tokio::test]
async fn a_folder_keeps_links() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let client = with_folder(&emulator, folder.path());
    emulator.fault(Fault::delay(Duration::from_millis(400)));
    emulator.cdn_fault(CdnFault::status(410));
    let call = client.generate(&request_by_url()).into_future();
    assert!(timeout(PATIENCE, call).await.is_err());
    client.drain().await;
    let kept = with_folder(&emulator, folder.path()).collect();
    let [Err(error)] = &kept[..] else { panic!("{kept:#?}") };
    assert_eq!(error.kind(), ErrorKind::DownloadFailed);
    let image = error.generated().unwrap().image().unwrap();
    assert_eq!(client.fetch(image).await.unwrap().dimensions(), Some((1024, 1024)));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_leaves_results_in_memory() {
    let emulator = pessimistic().await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let client = with_folder(&emulator, &file);
    late(&emulator);
    leave(&client).await;
    client.drain().await;
    let kept = client.collect();
    let [Ok(generated)] = &kept[..] else { panic!("{kept:#?}") };
    assert!(generated.image().unwrap().bytes().is_some());
}

#[tokio::test]
async fn records_that_cannot_be_read_are_left_alone() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("a.json", "{"), ("b.json", "{\"version\":2}"), ("c.txt", "{}"), ("d.json", "")] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let client = with_folder(&emulator, folder.path());
    assert!(client.pending().is_empty());
    assert!(client.collect().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_collect_at_once_share_what_there_is() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let client = with_folder(&emulator, folder.path());
    for _ in 0..8 {
        late(&emulator);
    }
    futures(8, || leave(&client)).await;
    client.drain().await;
    let collectors: Vec<_> = (0..4).map(|_| with_folder(&emulator, folder.path())).collect();
    let collected: Vec<Vec<Outcome>> = std::thread::scope(|scope| {
        let threads: Vec<_> = collectors.iter().map(|client| scope.spawn(|| client.collect())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut ids: Vec<_> = collected
        .iter()
        .flatten()
        .map(|outcome| outcome.as_ref().unwrap().client_request_id().unwrap().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), collected.iter().flatten().count()), (8, 8));
}

/// Runs some futures side by side.
async fn futures<F: Future<Output = ()>>(count: usize, make: impl Fn() -> F) {
    let mut running: Vec<_> = (0..count).map(|_| Box::pin(make())).collect();
    std::future::poll_fn(|cx| {
        running.retain_mut(|future| future.as_mut().poll(cx).is_pending());
        if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test]
async fn clients_that_share_a_store_share_its_folder() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let client = with_folder(&emulator, folder.path());
    assert!(client.with_config(config(&emulator).salvage_folder(folder.path())).is_ok());
    let refused = client.with_config(config(&emulator)).unwrap_err();
    assert!(refused.kind() == ErrorKind::Config && refused.message().contains("salvage_folder"), "{refused}");
}

#[tokio::test]
async fn abort_really_aborts() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::delay(Duration::from_secs(600)));
    let client = Client::new(config(&emulator).abort_on_cancel(true)).unwrap();
    leave(&client).await;
    // Nothing runs on: the connection is closed, which the server sees long before its answer is due.
    timeout(Duration::from_secs(60), client.drain()).await.unwrap();
    emulator.wait_idle().await;
    assert!(client.pending().is_empty() && client.collect().is_empty());
    let ledger = emulator.ledger();
    assert_eq!((ledger.len(), ledger[0].delivered), (1, false));
}
