//! Runs the servers of `scripts.toml`: each call must end as listed, within bounded memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::Duration;

use gptimage_core::{Client, EditRequest, GenerateRequest, ImageInput, ResponseFormat, Timers};
use gptimage_emulator::{Billing, Side};
use gptimage_torture::judge::{Evidence, Observed, Outcome, attempts, judge};
use gptimage_torture::run::CAP;
use gptimage_torture::scripted::{Authority, Script, ScriptedServer};
use gptimage_torture::world::{KEY, padded};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Maximum size of a response's image. None of the scripts' images is larger.
const IMAGE_MAX: u64 = 4 << 20;
/// Maximum memory of all cases at the same time, servers and uploads included.
const MEMORY_MAX_KIB: u64 = 300 << 10;
const AT_ONCE: usize = 8;

#[derive(Debug, Deserialize)]
struct Table {
    script: Vec<Case>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    asks: Asks,
    #[serde(default)]
    tls: bool,
    #[serde(default)]
    api: Vec<String>,
    #[serde(default)]
    cdn: Vec<String>,
    #[serde(default)]
    forever: bool,
    ends: Vec<String>,
    attempts: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asks {
    #[default]
    Image,
    Link,
    Form,
    Large,
}

fn cases() -> Vec<Case> {
    toml::from_str::<Table>(include_str!("../scripts.toml")).unwrap().script
}

/// Long enough for a busy machine, short enough to be waited for five times.
fn timers() -> Timers {
    let mut timers = Timers::default();
    timers.connect = Duration::from_secs(2);
    timers.write = Duration::from_secs(4);
    timers.response_header = Duration::from_secs(8);
    timers.read = Duration::from_secs(5);
    timers.initial_backoff = Duration::from_millis(1);
    timers.max_backoff = Duration::from_millis(2);
    timers.url_not_found = Duration::from_millis(500);
    timers
}

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

async fn play(case: &Case, authority: &Authority, ca_file: &std::path::Path) -> Vec<String> {
    let mut builder = ScriptedServer::builder().billing(Billing::Pessimistic);
    if case.tls {
        builder = builder.tls(authority);
    }
    let server = builder.start().await.unwrap();
    for (side, scripts) in [(Side::Api, &case.api), (Side::Cdn, &case.cdn)] {
        for text in scripts {
            let text = text.replace("{cdn}", server.cdn_url()).replace("{png_unpadded}", PNG.trim_end_matches('='));
            let script: Script = text.replace("{png}", PNG).parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            if case.forever {
                server.script_always(side, script);
            } else {
                server.script(side, script);
            }
        }
    }
    let mut config =
        Client::builder().api_key(KEY).base_url(server.base_url()).timers(timers()).max_image_bytes(IMAGE_MAX);
    if case.tls {
        config = config.ca_file(ca_file);
    }
    let client = config.build().unwrap();
    let generate = |format| GenerateRequest::builder("A T-Rex").response_format(format).build().unwrap();
    let edit = |bytes| EditRequest::builder("A crown", [ImageInput::bytes(padded(bytes))]).build().unwrap();
    let call = match case.asks {
        Asks::Image => client.generate(&generate(ResponseFormat::B64Json)),
        Asks::Link => {
            if case.api.is_empty() {
                server.script_always(Side::Api, "read whole; send link".parse().unwrap());
            }
            client.generate(&generate(ResponseFormat::Url))
        }
        Asks::Form => client.edit(&edit(100)),
        Asks::Large => client.edit(&edit(14 << 20)),
    };
    // In a task of its own, so that a panic becomes an error of its handle.
    let call = tokio::spawn(async move { call.send().await });
    let outcome = match timeout(CAP, call).await {
        Err(_) => return vec![format!("did not end within {CAP:?}")],
        Ok(Err(panicked)) => return vec![panicked.to_string()],
        Ok(Ok(outcome)) => outcome,
    };
    let mut wrong = Vec::new();
    if timeout(CAP, server.wait_idle()).await.is_err() {
        wrong.push("the server is still at work".to_owned());
    }
    let ended = match &outcome {
        Ok(_) => "success".to_owned(),
        Err(error) => format!("{}, {}", error.kind(), serde_json::to_value(error.charge()).unwrap().as_str().unwrap()),
    };
    if !case.ends.contains(&ended) {
        wrong.push(format!("ended in {ended}"));
    }
    if case.attempts.is_some_and(|expected| expected != attempts(&outcome).len()) {
        wrong.push(format!("{} attempts", attempts(&outcome).len()));
    }
    wrong.extend(judged(&server, outcome));
    wrong
}

/// Compares a result with the ledger.
fn judged(server: &ScriptedServer, outcome: Outcome) -> Vec<String> {
    let picture = base64(&outcome);
    let observed = [Observed::Outcome(Box::new(outcome))];
    let ledger = server.ledger();
    let evidence =
        Evidence { observed: &observed, collected: &[], ledger: &ledger, picture: &picture, max_attempts: 3 };
    let mut wrong = judge(&evidence).wrong;
    if !wrong.is_empty() {
        wrong.push(format!("{observed:#?}\n{ledger:#?}"));
    }
    wrong
}

/// Returns the image that all of the scripts send.
fn base64(outcome: &Outcome) -> Vec<u8> {
    let found = outcome.as_ref().ok().and_then(|generated| generated.image()?.bytes().cloned());
    found.map(Vec::from).filter(|bytes| bytes.len() == 70).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(not(target_os = "linux"))]
fn peak_memory_kib() -> u64 {
    0
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scripted_server_is_survived() {
    let cases = cases();
    assert!(cases.len() >= 80, "{} scripts", cases.len());
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let before = peak_memory_kib();
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = tokio::task::JoinSet::new();
    for case in cases {
        let (turns, authority, ca_file) = (turns.clone(), authority.clone(), ca_file.clone());
        running.spawn(async move {
            let _turn = turns.acquire_owned().await.unwrap();
            let wrong = play(&case, &authority, &ca_file).await;
            (case, wrong)
        });
    }
    let failed: Vec<_> = running.join_all().await.into_iter().filter(|(_, wrong)| !wrong.is_empty()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let grown = peak_memory_kib().saturating_sub(before);
    println!("{grown} KiB at most, {AT_ONCE} at a time");
    // Threat: endless-answer
    assert!(grown < MEMORY_MAX_KIB, "memory grew by {grown} KiB");
}

#[test]
fn each_script_has_a_name_of_its_own_and_can_be_printed() {
    let mut names = std::collections::BTreeSet::new();
    for case in cases() {
        assert!(names.insert(case.name.clone()), "{} stands there twice", case.name);
        for text in case.api.iter().chain(&case.cdn) {
            let script: Script = text.parse().unwrap_or_else(|error| panic!("{}: {error}", case.name));
            assert_eq!(script.to_string().parse(), Ok(script), "{}", case.name);
        }
    }
}
