//! Signals: what was not sent ends, what may be paid is named and waited for, and nothing goes unreported.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]
#![cfg(unix)]

#[path = "../../../tests/skipped.rs"]
mod skipped;
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use gptimage_emulator::{Emulator, ErrorBody, Fault};
use nix::sys::signal::{SigHandler, Signal};
use support::signals::{ALL, given, send};
use support::{KEY, against, emulator, gptimage, in_folder, names, wait_for_calls};

/// A command on its way, and what it says. It does not outlive its test.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// A call into `t-rex.png` that the server has whole.
    fn sent(emulator: &Emulator, folder: &Path, ready: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let calls = emulator.ledger().len();
        let mut command = against(emulator, folder);
        let running = Self::start(ready(command.args(["generate", "A T-Rex", "-o", "t-rex.png"])));
        wait_for_calls(emulator, calls + 1);
        running
    }

    /// Reads until a line says this.
    fn hear(&mut self, words: &str) -> String {
        let mut line = String::new();
        while self.stderr.read_line(&mut line).unwrap() > 0 {
            if line.contains(words) {
                return line;
            }
            line.clear();
        }
        panic!("it ended without {words:?}");
    }

    /// Exit code, and all that was not read yet.
    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        self.stderr.read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap().code(), out, err)
    }
}

fn last_id(emulator: &Emulator) -> String {
    emulator.ledger().last().unwrap().client_request_id.clone().unwrap()
}

#[test]
fn each_signal_waits_for_what_may_be_paid() {
    let emulator = emulator();
    for (signal, _) in ALL {
        let folder = tempfile::tempdir().unwrap();
        emulator.fault(Fault::delay(Duration::from_secs(2)));
        let mut running = Running::sent(&emulator, folder.path(), |command| command);
        send(&running.child, signal);
        let said = running.hear("may be paid");
        assert!(said.contains(&last_id(&emulator)), "{said}");
        let (code, out, err) = running.end();
        assert_eq!(code, Some(0), "{signal}: {err}");
        assert_eq!(out.trim_end(), folder.path().join("t-rex.png").to_str().unwrap());
        // Threat: command-ended
        assert_eq!(names(folder.path()), ["t-rex.png"]);
    }
}

#[test]
fn a_second_signal_gives_up_with_the_id_and_leaves_no_file() {
    let emulator = emulator();
    for (signal, expected) in ALL {
        let folder = tempfile::tempdir().unwrap();
        emulator.fault(Fault::delay(Duration::from_secs(600)));
        let mut running = Running::sent(&emulator, folder.path(), |command| command);
        assert!(names(folder.path())[0].ends_with(".part"), "as long as there is something to wait for");
        send(&running.child, signal);
        running.hear("may be paid");
        send(&running.child, signal);
        let (code, out, err) = running.end();
        assert_eq!((code, out.as_str()), (Some(expected), ""), "{signal}: {err}");
        assert!(err.contains(&format!("gptimage reconcile {}", last_id(&emulator))), "{err}");
        assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    }
}

#[test]
fn two_signals_at_once_are_one_wish() {
    // As `timeout` and service managers send them. While a process is stopped, both wait for it.
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    emulator.fault(Fault::delay(Duration::from_secs(2)));
    let running = Running::sent(&emulator, folder.path(), |command| command);
    for signal in [Signal::SIGSTOP, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGCONT] {
        send(&running.child, signal);
    }
    let (code, _, err) = running.end();
    assert_eq!((code, names(folder.path())), (Some(0), vec!["t-rex.png".to_owned()]), "{err}");
}

#[test]
fn an_inherited_ignore_is_respected() {
    // As by `nohup`, and in the background of a script.
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    emulator.fault(Fault::delay(Duration::from_secs(2)));
    let running = Running::sent(&emulator, folder.path(), |command| given(command, SigHandler::SigIgn));
    for _ in 0..2 {
        for (signal, _) in ALL {
            send(&running.child, signal);
        }
    }
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
    assert!(!err.contains("may be paid"), "{err}");
    assert_eq!(names(folder.path()), ["t-rex.png"]);
}

#[test]
fn after_kill_9_every_id_that_the_server_saw_is_known() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    emulator.fault(Fault::answer(429).body(ErrorBody::Empty).header("Retry-After", "0"));
    emulator.fault(Fault::delay(Duration::from_secs(600)));
    let mut command = against(&emulator, folder.path());
    let mut running = Running::start(command.args(["generate", "A T-Rex", "-o", "t-rex.png", "--json"]));
    wait_for_calls(&emulator, 2);
    running.child.kill().unwrap();
    let (code, _, err) = running.end();
    assert_eq!(code, None);
    let said: Vec<_> = err.lines().filter(|line| line.starts_with("gptimage: sending as ")).collect();
    let ids: Vec<_> = emulator.ledger().iter().map(|entry| entry.client_request_id.clone().unwrap()).collect();
    assert_eq!((said.len(), ids.len()), (2, 2), "{err}");
    // Threat: command-ended
    assert!(said.iter().zip(&ids).all(|(line, id)| line.contains(id)), "{said:?} {ids:?}");
}

/// A server that takes one connection and never says a word. Waits until it has it, then calls `then`.
fn silence(then: impl FnOnce(u16, &mut dyn FnMut())) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut taken = Vec::new();
    then(server.local_addr().unwrap().port(), &mut || taken.push(server.accept().unwrap()));
}

#[test]
fn the_free_subcommands_end_at_the_first_signal() {
    for (subcommand, (signal, expected)) in ["fetch", "reconcile", "doctor"].into_iter().zip(ALL) {
        silence(|port, taken| {
            let folder = tempfile::tempdir().unwrap();
            let base_url = format!("http://127.0.0.1:{port}/v1");
            let mut command = gptimage(folder.path());
            command.env("AIMLAPI_KEY", KEY).args([subcommand, "--base-url", &base_url]);
            match subcommand {
                "fetch" => command.arg(format!("http://127.0.0.1:{port}/a.png")),
                "reconcile" => command.arg("gptimage-1"),
                _ => &mut command,
            };
            let running = Running::start(&mut command);
            taken();
            send(&running.child, signal);
            let (code, out, err) = running.end();
            assert_eq!((code, out.as_str()), (Some(expected), ""), "{subcommand}: {err}");
            assert!(err.contains("nothing was charged") && err.lines().count() == 1, "{subcommand}: {err}");
            assert!(names(folder.path()).is_empty(), "{subcommand}: {:?}", names(folder.path()));
        });
    }
}

#[cfg(target_os = "linux")]
#[test]
fn reading_standard_input_ends_at_the_first_signal() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    for (args, (signal, expected)) in
        [&["generate", "-"][..], &["edit", "A", "-i", "-"], &["generate", "-", "--json"]].into_iter().zip(ALL)
    {
        let mut command = against(&emulator, folder.path());
        let mut running = Running::start(command.args(args).stdin(Stdio::piped()));
        while !support::signals::is_heard(&running.child, signal) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut stdin = running.child.stdin.take().unwrap();
        stdin.write_all(b"A T-").unwrap();
        send(&running.child, signal);
        let (code, out, err) = running.end();
        assert_eq!(code, Some(expected), "{args:?}: {err}");
        assert!(err.contains("nothing was charged"), "{args:?}: {err}");
        assert_eq!(out.contains("\"cancelled\""), args.contains(&"--json"), "{out}");
    }
    assert_eq!(emulator.connections(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_fifo_that_nobody_reads_is_waited_for_without_paying() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    nix::unistd::mkfifo(&folder.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut command = against(&emulator, folder.path());
    let mut running = Running::start(command.args(["generate", "A T-Rex", "-o", "fifo"]));
    running.hear("waiting for somebody to read fifo");
    send(&running.child, Signal::SIGTERM);
    let (code, _, err) = running.end();
    assert_eq!(code, Some(143), "{err}");
    let mut command = against(&emulator, folder.path());
    let output = command.args(["generate", "A T-Rex", "-o", "fifo", "--deadline", "0.1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert_eq!(emulator.connections(), 0);
}

#[test]
fn a_reader_that_sleeps_does_not_keep_a_signal_from_being_heard() {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;

    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let mut command = against(&emulator, folder.path());
    // A picture that is longer than any pipe.
    let noise: Vec<u8> = (0..4_000_000u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let picture = image::RgbImage::from_raw(1000, 1000, noise[..3_000_000].to_vec()).unwrap();
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let b64 = base64_simd::STANDARD.encode_to_string(png.get_ref());
    emulator.fault(Fault::success_body(format!("{{\"data\":[{{\"b64_json\":\"{b64}\"}}]}}")));
    let mut running = Running::start(command.args(["generate", "A T-Rex", "-o", "-"]));
    // The first bytes are here, and nobody takes them.
    let stdout = running.child.stdout.take().unwrap();
    poll(&mut [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE).unwrap();
    send(&running.child, Signal::SIGINT);
    let said = running.hear("paid for and saved: ");
    let code = running.child.wait().unwrap().code();
    assert_eq!(code, Some(130), "{said}");
    let saved = names(folder.path());
    assert_eq!(saved.len(), 1, "{said}");
    assert_eq!(&std::fs::read(folder.path().join(&saved[0])).unwrap(), png.get_ref());
}

/// The first process of a container gets no signal that it has not asked for.
#[cfg(target_os = "linux")]
#[test]
fn as_process_1_it_hears_signals() {
    let folder = tempfile::tempdir().unwrap();
    let pids = ["--pid", "--fork", "--kill-child"];
    // Root needs no namespace of users, which is not to be had below a chroot.
    let ways = [[&["--user", "--map-root-user"], &pids[..]].concat(), pids.to_vec()];
    let may = |way: &&Vec<&str>| {
        let tried = Command::new("unshare").args(way.iter()).arg("true").output();
        tried.is_ok_and(|output| output.status.success())
    };
    let Some(namespaces) = ways.iter().find(may) else {
        return skipped::skipped(
            "as process 1 it hears signals",
            "no program `unshare` or no namespaces on this machine",
        );
    };
    let emulator = emulator();
    emulator.fault(Fault::delay(Duration::from_secs(600)));
    let mut command = Command::new("unshare");
    in_folder(&mut command, folder.path()).args(namespaces);
    command.arg(env!("CARGO_BIN_EXE_gptimage")).args(["generate", "A T-Rex", "-o", "t-rex.png"]);
    support::with_key(&mut command, &emulator);
    let mut running = Running::start(&mut command);
    wait_for_calls(&emulator, 1);
    let children = format!("/proc/{0}/task/{0}/children", running.child.id());
    let first: i32 = std::fs::read_to_string(children).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let first = nix::unistd::Pid::from_raw(first);
    nix::sys::signal::kill(first, Signal::SIGTERM).unwrap();
    running.hear("may be paid");
    nix::sys::signal::kill(first, Signal::SIGTERM).unwrap();
    let (code, _, err) = running.end();
    assert_eq!(code, Some(143), "{err}");
    assert!(err.contains(&last_id(&emulator)), "{err}");
}
