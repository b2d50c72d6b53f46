//! The live line, in a pseudo-terminal.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]
#![cfg(unix)]

mod support;

use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use gptimage_emulator::{ErrorBody, Fault};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::{against, emulator, exit, text};

/// Everything that a terminal of this size is sent.
fn on_a_terminal(emulator: &gptimage_emulator::Emulator, args: &[&str]) -> (String, i32) {
    let folder = tempfile::tempdir().unwrap();
    let (mut terminal, pts) = pty_process::blocking::open().unwrap();
    terminal.resize(pty_process::Size::new(24, 100)).unwrap();
    let mut command = pty_process::blocking::Command::new(env!("CARGO_BIN_EXE_gptimage"))
        .args(args)
        .current_dir(folder.path())
        .env("AIMLAPI_KEY", "sk-test-of-the-command")
        .env("AIMLAPI_BASE_URL", emulator.base_url())
        .env("TERM", "xterm-256color");
    command = command.env_remove("NO_COLOR");
    let mut child = command.spawn(pts).unwrap();
    let mut shown = Vec::new();
    let mut piece = [0; 4096];
    // The other end closes with the program, which this system reports as an error.
    while let Ok(read @ 1..) = terminal.read(&mut piece) {
        shown.extend_from_slice(&piece[..read]);
    }
    (text(&shown), child.wait().unwrap().code().unwrap())
}

#[test]
fn a_terminal_sees_what_a_call_is_doing() {
    let emulator = emulator();
    emulator.fault(Fault::answer(429).body(ErrorBody::Empty).header("Retry-After", "1"));
    emulator.fault(Fault::delay(Duration::from_secs(1)));
    let (shown, code) = on_a_terminal(&emulator, &["generate", "A T-Rex", "-o", "t-rex.png"]);
    assert_eq!(code, 0, "{shown}");
    for words in ["waiting for the picture", "trying again in 1.0 s", "attempt 2 of 3", "t-rex.png", "0.0536705 USD"] {
        assert!(shown.contains(words), "{words}: {shown:?}");
    }
    let last = shown.rsplit("\u{1b}[2K").next().unwrap();
    assert!(!last.contains("waiting"), "the line is gone at the end: {last:?}");
}

#[test]
fn a_terminal_is_not_sent_a_picture() {
    let emulator = emulator();
    let (shown, code) = on_a_terminal(&emulator, &["generate", "A T-Rex", "-o", "-"]);
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("not written to a terminal"), "{shown}");
    assert_eq!(emulator.connections(), 0, "and nothing is paid for it");
}

#[test]
fn a_pipe_sees_nothing_of_it() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    emulator.fault(Fault::delay(Duration::from_millis(300)));
    let output = against(&emulator, folder.path()).args(["generate", "A"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(exit(&output), 0);
    assert_eq!(text(&output.stderr).lines().count(), 1, "cost and ids only: {output:?}");
    assert!(!text(&output.stderr).contains('\u{1b}'));
}

#[test]
fn an_interrupted_call_that_may_be_paid_is_waited_for_and_then_given_up() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    for give_up in [false, true] {
        let path = folder.path().join(format!("{give_up}.png"));
        let calls = emulator.ledger().len();
        emulator.fault(Fault::delay(Duration::from_secs(if give_up { 60 } else { 2 })));
        let mut child = against(&emulator, folder.path())
            .args(["generate", "A T-Rex", "-o"])
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let process = Pid::from_raw(child.id().try_into().unwrap());
        let interrupt = || kill(process, Signal::SIGINT).unwrap();
        while emulator.ledger().last().is_none_or(|last| !last.arrived_whole) || emulator.ledger().len() == calls {
            std::thread::sleep(Duration::from_millis(5));
        }
        interrupt();
        let mut said = String::new();
        let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        std::io::BufRead::read_line(&mut stderr, &mut said).unwrap();
        let id = emulator.ledger().last().unwrap().client_request_id.clone().unwrap();
        assert!(said.contains("may be paid") && said.contains(&id), "{said}");
        if give_up {
            interrupt();
        }
        let code = child.wait().unwrap().code();
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!((code, path.exists()), (Some(if give_up { 130 } else { 0 }), !give_up), "{said}");
    }
}
