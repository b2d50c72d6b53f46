//! What runs on without its caller: listed, kept in a folder across clients, given up where that is asked for.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gptimage_core::{CancelToken, Charge, Client, ErrorKind, Location, Phase};
use gptimage_emulator::{CdnFault, Cut, Emulator, Fault};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::common::{Outcome, arrived, client, config, drop_when, judge, pessimistic, request, request_by_url};
#[cfg(unix)]
use crate::skipped::skipped;

const CALLER_LEAVES_AFTER: Duration = Duration::from_millis(150);

/// Leaves a call once it may be charged, the next of those that the emulator has.
async fn leave(emulator: &Emulator, client: &Client) {
    let calls = emulator.ledger().len() + 1;
    drop_when(arrived(emulator, calls), client.generate(&request())).await;
}

fn late(emulator: &Emulator) {
    emulator.fault(Fault::delay(Duration::from_millis(400)));
}

fn with_folder(emulator: &Emulator, folder: &std::path::Path) -> Client {
    config(emulator).salvage_folder(folder).build().unwrap()
}

#[tokio::test]
async fn pending_lists_what_runs_and_what_waits_to_be_collected() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    assert!(client.pending().is_empty());
    late(&emulator);
    leave(&emulator, &client).await;
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
        drop_when(arrived(&emulator, number + 1), call).await;
        client.drain().await;
        assert_eq!((client.pending().len(), client.in_flight().uncollected().len()), (number + 1, 1));
    }
}

#[tokio::test]
async fn a_folder_keeps_results_for_another_client() {
    let emulator = pessimistic().await;
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("not/there yet");
    let client = with_folder(&emulator, &folder);
    late(&emulator);
    leave(&emulator, &client).await;
    client.drain().await;
    // As if in another process: nothing is shared but the folder.
    drop(client);
    let another = with_folder(&emulator, &folder);
    let pending = another.pending();
    assert_eq!((pending.len(), pending[0].ended), (1, true));
    let kept = another.collect();
    let [outcome] = &kept[..] else { panic!("{kept:#?}") };
    // Threat: caller-gone
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
    leave(&emulator, &client).await;
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
    drop_when(arrived(&emulator, 1), client.generate(&request_by_url())).await;
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
    leave(&emulator, &client).await;
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

/// A folder with one record, and the record's path.
async fn one_record(emulator: &Emulator, folder: &Path) -> PathBuf {
    let client = with_folder(emulator, folder);
    late(emulator);
    leave(emulator, &client).await;
    client.drain().await;
    let mut records = files(folder, "json");
    assert_eq!(records.len(), 1, "{records:?}");
    records.remove(0)
}

/// The files of this extension.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    paths.sort();
    paths
}

/// The record with something else in it, under a name that ours could have.
fn changed(record: &Path, number: usize, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut text: Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
    change(&mut text);
    let path = record.with_file_name(format!("gptimage-{number:032x}-{number:08x}.json"));
    std::fs::write(&path, text.to_string()).unwrap();
    path
}

#[tokio::test]
async fn what_is_no_record_of_a_known_version_is_never_touched() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let record = one_record(&emulator, folder.path()).await;
    changed(&record, 1, |record| record["version"] = json!(2));
    changed(&record, 2, |record| record["version"] = json!("1"));
    changed(&record, 3, |record| record["attempts"] = json!(null));
    changed(&record, 4, |record| record["generated"] = json!(null));
    changed(&record, 5, |record| record["generated"]["images"][0]["file"] = json!("../elsewhere.png"));
    changed(&record, 6, |record| record["generated"]["images"][0]["file"] = json!("a/b.png"));
    changed(&record, 7, |record| record["generated"]["images"][0]["file"] = json!(".."));
    changed(&record, 8, |record| record["generated"]["images"][0]["file"] = json!(""));
    let whole = std::fs::read(&record).unwrap();
    std::fs::write(folder.path().join("gptimage-cut-00000000.json"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(folder.path().join("notes.json"), r#"{"version": 1, "notes": ["milk"]}"#).unwrap();
    std::fs::write(folder.path().join("empty.json"), "").unwrap();
    std::fs::create_dir(folder.path().join("folder.json")).unwrap();
    let before: Vec<_> = files(folder.path(), "json").into_iter().filter(|path| *path != record).collect();
    let client = with_folder(&emulator, folder.path());
    assert_eq!(client.pending().len(), 1);
    let kept = client.collect();
    assert_eq!(kept.len(), 1, "{kept:#?}");
    judge(&emulator, &kept[0], 1).await;
    assert!(client.collect().is_empty() && client.pending().is_empty());
    // Threat: salvage-foreign
    assert_eq!(files(folder.path(), "json"), before);
    assert_eq!(files(folder.path(), "collected").len(), 1);
    // What was damaged and is whole again is found.
    std::fs::write(folder.path().join("gptimage-cut-00000000.json"), whole).unwrap();
    assert_eq!((client.pending().len(), client.collect().len()), (1, 1));
}

#[tokio::test]
async fn a_record_leads_to_no_file_that_is_no_picture() {
    let emulator = pessimistic().await;
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let record = one_record(&emulator, folder.path()).await;
    let picture = files(folder.path(), "png").remove(0);
    let moved = elsewhere.path().join("saved.png");
    std::fs::copy(&picture, &moved).unwrap();
    let secret = elsewhere.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    let file = |path: &Path| json!(path.to_str().unwrap());
    let set = |number, path: Value| {
        changed(&record, number, |record| record["generated"]["images"][0]["file"] = path);
    };
    set(1, file(&moved));
    set(2, file(&secret));
    set(3, file(elsewhere.path()));
    set(4, json!("link.png"));
    #[cfg(unix)]
    std::os::unix::fs::symlink(&secret, folder.path().join("link.png")).unwrap();
    let client = with_folder(&emulator, folder.path());
    let mut paths: Vec<_> = client
        .collect()
        .iter()
        .flat_map(|outcome| outcome.as_ref().unwrap().images().iter().map(|image| image.path().unwrap().to_owned()))
        .collect();
    paths.sort();
    let mut expected = vec![picture, moved];
    expected.sort();
    // Threat: salvage-link
    assert_eq!(paths, expected);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_salvaged_is_for_its_owner_alone_whatever_the_folder_is() {
    use std::os::unix::fs::PermissionsExt;

    let emulator = pessimistic().await;
    let place = tempfile::tempdir().unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let (open, made) = (place.path().join("open"), place.path().join("made"));
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    for folder in [&open, &made] {
        let record = one_record(&emulator, folder).await;
        let pictures = files(folder, "png");
        // Threat: salvage-read
        assert_eq!((mode(&record), pictures.len(), mode(&pictures[0])), (0o600, 1, 0o600));
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 2, "nothing else is left");
    }
    assert_eq!((mode(&open), mode(&made)), (0o755, 0o700));
}

/// The test above once more, in a process whose umask takes nothing away.
#[cfg(unix)]
#[test]
fn under_an_open_umask_it_is_for_its_owner_alone_all_the_same() {
    let output = std::process::Command::new("sh")
        .args(["-c", r#"umask 000 && exec "$0" --exact "$1""#])
        .arg(std::env::current_exe().unwrap())
        .arg("salvage::what_is_salvaged_is_for_its_owner_alone_whatever_the_folder_is")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    // Threat: salvage-read
    assert!(output.status.success() && said.contains("test result: ok. 1 passed"), "{output:?}");
}

/// What another user gets to read of a file. `None`: this process may not become another user.
#[cfg(unix)]
fn read_by_another_user(path: &Path) -> Option<Vec<u8>> {
    use std::os::unix::process::CommandExt;

    const NOBODY: u32 = 65534;
    Some(std::process::Command::new("cat").arg(path).uid(NOBODY).gid(NOBODY).output().ok()?.stdout)
}

#[cfg(unix)]
#[tokio::test]
async fn another_user_reads_nothing_of_what_is_salvaged() {
    use std::os::unix::fs::PermissionsExt;

    let emulator = pessimistic().await;
    let place = tempfile::tempdir().unwrap();
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    open(place.path());
    let (shared, made) = (place.path().join("shared"), place.path().join("made"));
    std::fs::create_dir(&shared).unwrap();
    open(&shared);
    // The measure of the measure: what is for everybody is read.
    let for_everybody = shared.join("for everybody");
    std::fs::write(&for_everybody, "read").unwrap();
    open(&for_everybody);
    if read_by_another_user(&for_everybody).is_none_or(|read| read != b"read") {
        return skipped("another user reads nothing of what is salvaged", "only root can be another user");
    }
    for folder in [&shared, &made] {
        let record = one_record(&emulator, folder).await;
        for file in [record, files(folder, "png").remove(0)] {
            assert!(file.metadata().unwrap().len() > 0);
            // Threat: salvage-read
            assert_eq!(read_by_another_user(&file).unwrap(), b"", "{}", file.display());
        }
    }
}

#[tokio::test]
async fn thousands_of_records_are_listed_and_collected_one_by_one_and_all_together() {
    const MANY: usize = 4000;
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let record = one_record(&emulator, folder.path()).await;
    let mut late: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    late["attempts"][0]["client_request_id"] = json!("late");
    for number in 1..MANY {
        changed(&record, number, |record| {
            record["attempts"][0]["client_request_id"] = json!(format!("gptimage-{number}"))
        });
    }
    let client = with_folder(&emulator, folder.path());
    assert_eq!(client.pending().len(), MANY);
    let id = |outcome: &Outcome| outcome.as_ref().unwrap().client_request_id().unwrap().to_owned();
    let mut ids = vec![id(&client.collect_one().unwrap())];
    // The folder is not listed for each: one that is older than all, and new, comes when the known ones are through.
    let old = folder.path().join(format!("gptimage-{MANY:032x}-{MANY:08x}.json"));
    std::fs::write(&old, late.to_string()).unwrap();
    std::fs::File::options().write(true).open(&old).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    ids.extend((1..MANY / 2).map(|_| id(&client.collect_one().unwrap())));
    assert!(!ids.contains(&"late".to_owned()));
    ids.extend(client.collect().iter().map(id));
    assert_eq!(ids.last().unwrap(), "late");
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), files(folder.path(), "collected").len()), (MANY + 1, MANY + 1));
    assert!(files(folder.path(), "json").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_collected_while_others_write_them() {
    const MANY: usize = 60;
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let writer = with_folder(&emulator, folder.path());
    let readers = [with_folder(&emulator, folder.path()), with_folder(&emulator, folder.path())];
    let generated = client(&emulator).generate(&request()).send().await.unwrap();
    let (collected, whole) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let handle = tokio::runtime::Handle::current();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _runtime = handle.enter();
            (0..MANY).for_each(|_| writer.keep(Ok(generated.clone())));
        });
        for reader in &readers {
            scope.spawn(|| {
                while collected.load(Ordering::Relaxed) < MANY {
                    for outcome in reader.collect() {
                        // A panic here would leave the other reader waiting.
                        let is_whole = outcome.is_ok_and(|it| it.image().unwrap().dimensions() == Some((1024, 1024)));
                        whole.fetch_add(usize::from(is_whole), Ordering::Relaxed);
                        collected.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!((collected.load(Ordering::Relaxed), whole.load(Ordering::Relaxed)), (MANY, MANY));
    assert!(writer.collect().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_collect_at_once_share_what_there_is() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let client = with_folder(&emulator, folder.path());
    for _ in 0..8 {
        late(&emulator);
    }
    futures(8, || drop_when(arrived(&emulator, 8), client.generate(&request()))).await;
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
    assert!(client.with_builder(config(&emulator).salvage_folder(folder.path())).is_ok());
    let refused = client.with_builder(config(&emulator)).unwrap_err();
    assert!(refused.kind() == ErrorKind::Config && refused.message().contains("salvage_folder"), "{refused}");
}

#[tokio::test]
async fn abort_really_aborts() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::delay(Duration::from_secs(600)));
    let client = config(&emulator).abort_on_cancel(true).build().unwrap();
    leave(&emulator, &client).await;
    // Nothing runs on: the connection is closed, which the server sees long before its answer is due.
    timeout(Duration::from_secs(60), client.drain()).await.unwrap();
    emulator.wait_idle().await;
    assert!(client.pending().is_empty() && client.collect().is_empty());
    let ledger = emulator.ledger();
    assert_eq!((ledger.len(), ledger[0].delivered), (1, false));
}

/// A client that tries again although that may be paid twice, and a first attempt that may be.
async fn daring(emulator: &Emulator, abort: bool) -> Client {
    emulator.fault(Fault::answer(503).header("retry-after", "30"));
    config(emulator).retry_server_errors(true).abort_on_cancel(abort).build().unwrap()
}

#[tokio::test]
async fn what_is_given_up_between_two_attempts_is_kept_once() {
    for abort in [false, true] {
        let emulator = pessimistic().await;
        let client = daring(&emulator, abort).await;
        // Whoever cancels by a token is told, and may leave what was told to others.
        let (token, request) = (CancelToken::new(), request());
        let stop = token.clone();
        let call = client.generate(&request).cancel(&token).progress(move |progress| {
            if progress.pause.is_some() {
                stop.cancel();
            }
        });
        let error = call.send().await.unwrap_err();
        assert_eq!((error.kind(), error.charge()), (ErrorKind::Cancelled, Charge::Unknown));
        assert!(client.collect().is_empty());
        client.keep(Err(error));
        let kept = client.collect();
        let [Err(error)] = &kept[..] else { panic!("{kept:#?}") };
        assert_eq!((error.charge(), error.attempts().len()), (Charge::Unknown, 1));
        assert_eq!(client.pending(), []);
        // Whoever drops the call has not heard of it; meanwhile it is listed.
        let emulator = pessimistic().await;
        let client = daring(&emulator, abort).await;
        let (paused, pause) = tokio::sync::oneshot::channel();
        let paused = std::sync::Mutex::new(Some(paused));
        let call = client.generate(&request).progress(move |progress| {
            if progress.pause.is_some()
                && let Some(paused) = paused.lock().unwrap().take()
            {
                paused.send(()).unwrap();
            }
        });
        let mut call = call.send();
        tokio::select! {
            _ = &mut call => panic!("it has to pause"),
            pause = pause => pause.unwrap(),
        }
        let listed = client.pending();
        assert_eq!((listed.len(), listed[0].ended), (1, false));
        drop(call);
        let kept = client.collect();
        let [Err(error)] = &kept[..] else { panic!("{kept:#?}") };
        assert_eq!(error.attempts()[0].client_request_id, listed[0].client_request_id.clone().unwrap());
        judge(&emulator, &kept[0], 1).await;
    }
}

#[tokio::test]
async fn an_error_whose_call_runs_on_is_not_kept_beside_its_result() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    late(&emulator);
    let request = request();
    let error = client.generate(&request).deadline(CALLER_LEAVES_AFTER).send().await.unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::OutcomeUnknown, Charge::Unknown));
    client.keep(Err(error));
    client.drain().await;
    let kept = client.collect();
    let [Ok(_)] = &kept[..] else { panic!("{kept:#?}") };
}

#[tokio::test]
async fn an_outcome_that_is_announced_is_waited_for() {
    let emulator = pessimistic().await;
    let client = client(&emulator);
    let expected = client.begin_detached();
    assert!(timeout(CALLER_LEAVES_AFTER, client.drain()).await.is_err());
    drop(expected);
    client.drain().await;
}

#[tokio::test]
async fn of_a_picture_that_is_here_a_copy_is_saved() {
    let emulator = pessimistic().await;
    let folder = tempfile::tempdir().unwrap();
    let client = client(&emulator);
    let made = client.generate(&request()).send().await.unwrap();
    let image = made.image().unwrap();
    assert!(matches!(image.location(), Location::Memory(_)));
    let saved = client.fetch_to(image, folder.path().join("copy.png")).await.unwrap();
    assert_eq!(saved.path(), Some(folder.path().join("copy.png").as_path()));
    assert_eq!(saved.read().unwrap(), image.read().unwrap());
    let error = client.fetch_to(&saved, folder.path().join("copy.png")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}
