//! The live line, in a pseudo-terminal.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]
#![cfg(unix)]

mod support;

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;

use gptimage_emulator::{Emulator, ErrorBody, Fault};
use support::{against, emulator, exit, text};

/// The command in a terminal and a folder of its own.
fn start(emulator: &Emulator, args: &[&str]) -> (pty_process::blocking::Pty, std::process::Child, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (terminal, pts) = pty_process::blocking::open().unwrap();
    terminal.resize(pty_process::Size::new(24, 100)).unwrap();
    let command = pty_process::blocking::Command::new(env!("CARGO_BIN_EXE_gptimage"))
        .args(args)
        .current_dir(folder.path())
        .env("AIMLAPI_KEY", support::KEY)
        .env("AIMLAPI_BASE_URL", emulator.base_url())
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR");
    (terminal, command.spawn(pts).unwrap(), folder)
}

/// What a terminal is sent until these words, or until nothing holds it any more, which this system reports as an error.
fn read_until(terminal: &mut impl Read, words: &str) -> String {
    let mut shown = String::new();
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = terminal.read(&mut piece) {
        shown += &text(&piece[..read]);
        if shown.contains(words) {
            break;
        }
    }
    shown
}

/// Everything that a terminal of this size is sent.
fn on_a_terminal(emulator: &Emulator, args: &[&str]) -> (String, i32) {
    let (mut terminal, mut child, _folder) = start(emulator, args);
    let shown = read_until(&mut terminal, "\0");
    (shown, child.wait().unwrap().code().unwrap())
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
    let said = text(&output.stderr);
    assert_eq!(said.lines().count(), 2, "the id, then the cost: {said}");
    assert!(said.starts_with("gptimage: sending as gptimage-"), "{said}");
    assert!(!text(&output.stderr).contains('\u{1b}'));
}

#[test]
fn control_c_on_a_terminal_ends_what_was_not_sent() {
    let emulator = emulator();
    emulator.fault(Fault::answer(429).body(ErrorBody::Empty).header("Retry-After", "100"));
    let (mut terminal, mut child, folder) = start(&emulator, &["generate", "A T-Rex", "-o", "t-rex.png"]);
    let mut shown = read_until(&mut terminal, "trying again in");
    terminal.write_all(b"\x03").unwrap();
    shown += &read_until(&mut terminal, "\0");
    assert_eq!(child.wait().unwrap().code(), Some(130), "{shown}");
    assert!(shown.contains("cancelled before another attempt"), "{shown}");
    assert_eq!((emulator.charges(), support::names(folder.path()).len()), (0, 0));
}

#[test]
fn a_terminal_keeps_the_id_of_a_call_that_is_on_its_way() {
    let emulator = emulator();
    emulator.fault(Fault::delay(Duration::from_secs(600)));
    let (mut terminal, mut child, _folder) = start(&emulator, &["generate", "A T-Rex"]);
    let shown = read_until(&mut terminal, "waiting for the picture");
    let id = emulator.ledger()[0].client_request_id.clone().unwrap();
    assert!(shown.contains(&format!("gptimage: sending as {id}\r\n")), "in a line that is not drawn over: {shown:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_terminal_that_is_closed_takes_no_picture_along() {
    let emulator = emulator();
    emulator.fault(Fault::delay(Duration::from_secs(2)));
    let (mut terminal, mut child, folder) = start(&emulator, &["generate", "A T-Rex", "-o", "t-rex.png"]);
    read_until(&mut terminal, "waiting for the picture");
    // The system sends SIGHUP, and the shell that is not here would have sent it again.
    drop(terminal);
    for _ in 0..3 {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::Signal::SIGHUP)
            .unwrap();
        std::thread::sleep(Duration::from_millis(350));
    }
    // Nobody can read where the picture is, and no panic tells of it.
    assert_eq!(child.wait().unwrap().code(), Some(4));
    // Threat: command-ended
    assert_eq!(support::names(folder.path()), ["t-rex.png"]);
    assert_eq!(image::open(folder.path().join("t-rex.png")).unwrap().width(), 1024);
}
