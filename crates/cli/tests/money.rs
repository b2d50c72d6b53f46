//! What a call may cost, and what became of one that may have been paid.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod support;

use gptimage_emulator::{Cut, Emulator, Fault};
use serde_json::Value;
use support::{against, emulator, exit, text};

/// A call that fails as `fault` has it, and whose id is printed with the way to ask for it.
fn lost(emulator: &Emulator, folder: &std::path::Path, fault: Fault) -> String {
    emulator.fault(fault);
    let output = against(emulator, folder).args(["generate", "A T-Rex", "--json"]).output().unwrap();
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = error["error"]["attempts"][0]["client_request_id"].as_str().unwrap().to_owned();
    // The way out is printed, to be copied.
    assert!(text(&output.stderr).contains(&format!("gptimage reconcile {id}")), "{output:?}");
    id
}

#[test]
fn a_lost_answer_is_reconciled_as_charged() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let id = lost(&emulator, folder.path(), Fault::cut_response(0, Cut::Rst));
    let output = against(&emulator, folder.path()).args(["reconcile", &id]).output().unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
    let line = text(&output.stdout);
    for part in [id.as_str(), "  charged  ", "refund", "USD"] {
        assert!(line.contains(part), "{line}");
    }
    let output = against(&emulator, folder.path()).args(["reconcile", &id, "--json"]).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["reconciled"][0]["charge"], "charged");
    assert_eq!(answer["reconciled"][0]["cost"]["usd"], emulator.ledger()[0].charge.unwrap().usd());
    assert_eq!(emulator.charges(), 1);
}

#[test]
fn a_failure_is_reconciled_as_not_charged_and_a_call_that_nobody_knows_as_unknown() {
    let (emulator, folder) = (Emulator::builder().spawn().unwrap(), tempfile::tempdir().unwrap());
    let id = lost(&emulator, folder.path(), Fault::answer(500));
    let output = against(&emulator, folder.path()).args(["reconcile", &id]).output().unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
    assert!(text(&output.stdout).contains("  not_charged  "), "{output:?}");

    let args = ["reconcile", &id, "nobody's", "--timeout", "0", "--period", "7d"];
    let output = against(&emulator, folder.path()).args(args).output().unwrap();
    assert_eq!(exit(&output), 11, "{output:?}");
    assert_eq!(text(&output.stdout).lines().count(), 2);
    assert_eq!(exit(&against(&emulator, folder.path()).arg("reconcile").output().unwrap()), 2);
}

#[test]
fn a_call_that_may_cost_more_than_it_may_is_not_sent() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let run = |args: &[&str]| {
        let all = ["generate", "A T-Rex", "--json"].iter().chain(args);
        against(&emulator, folder.path()).args(all).output().unwrap()
    };
    for (args, code) in [
        (&["--max-usd", "0.40"][..], 40),
        (&["--max-usd", "0.40", "--max-usd-per-call", "0.41"], 40),
        (&["--max-usd", "much"], 3),
        (&["--max-usd-per-call", "0.1"], 2),
    ] {
        let output = run(args);
        assert_eq!(exit(&output), code, "{args:?}: {output:?}");
    }
    assert!(emulator.requests().is_empty());
    assert_eq!(exit(&run(&["--max-usd", "0.50"])), 0);
    assert_eq!(exit(&run(&["--max-usd", "0.40", "--max-usd-per-call", "0.10"])), 0);
}
