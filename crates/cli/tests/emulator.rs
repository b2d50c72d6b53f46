//! `gptimage emulator` through the binary, as another program sees it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

#[cfg(unix)]
use nix::sys::signal::{Signal, kill};
#[cfg(unix)]
use nix::unistd::Pid;
use serde_json::{Value, json};

const GENERATE: &str = r#"{"model":"openai/gpt-image-2","prompt":"A T-Rex"}"#;

/// A running emulator; ended with the test, whatever becomes of it.
struct Running {
    child: Child,
    first_line: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Started, and its first line read while it goes on running.
    fn start(args: &[&str]) -> Self {
        let mut child = command(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
        assert!(first_line.ends_with('\n'), "{first_line:?}");
        Self { first_line: first_line.trim_end().to_owned(), child }
    }

    /// Where it listens, host and port.
    fn authority(&self) -> &str {
        self.first_line.trim_start_matches("http://").trim_end_matches("/v1")
    }

    fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, answer) = self.exchange(method, &format!("/_emulator{path}"), "", body);
        assert_eq!(status, 200, "{path} {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    fn generate(&self) -> (u16, String) {
        let headers = "Authorization: Bearer sk-test\r\nContent-Type: application/json\r\n";
        self.exchange("POST", "/v1/images/generations", headers, GENERATE)
    }

    /// One request over a connection of its own; status and body of the answer.
    fn exchange(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(self.authority()).unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}");
        write!(socket, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    #[cfg(unix)]
    fn signal(mut self, signal: Signal) -> Option<i32> {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
        self.child.wait().unwrap().code()
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gptimage"));
    command.arg("emulator").args(args);
    command
}

#[test]
fn its_first_line_is_its_base_url() {
    let emulator = Running::start(&["--port", "0", "--key", "sk-test"]);
    let port = emulator.first_line.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix("/v1"));
    assert!(port.is_some_and(|port| port.parse::<u16>().unwrap() > 0), "{}", emulator.first_line);
    let (status, answer) = emulator.generate();
    assert_eq!(status, 200, "{answer}");
    let (status, _) = emulator.exchange("GET", "/v2/billing", "Authorization: Bearer sk-other\r\n", "");
    assert_eq!(status, 401);
}

#[test]
fn json_names_every_address() {
    let mut emulator = Running::start(&["--json", "--key", "sk-one", "--key", "sk-two"]);
    let line: Value = serde_json::from_str(&emulator.first_line).unwrap();
    let base_url = line["base_url"].as_str().unwrap().to_owned();
    assert_eq!(line["control_url"], base_url.replace("/v1", "/_emulator"));
    assert_eq!(line["key"], "sk-one");
    let picture = {
        emulator.first_line = base_url;
        let headers = "Authorization: Bearer sk-two\r\nContent-Type: application/json\r\n";
        emulator.exchange("POST", "/v1/images/generations", headers, GENERATE).1
    };
    assert!(picture.contains(line["cdn_url"].as_str().unwrap()), "{picture}");
}

#[cfg(unix)]
#[test]
fn signals_end_it_well() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        // Right after the first line, and with a slow call under way.
        assert_eq!(Running::start(&[]).signal(signal), Some(0), "{signal}");
        let emulator = Running::start(&["--latency", "1h"]);
        let mut socket = TcpStream::connect(emulator.authority()).unwrap();
        let head = "POST /v1/images/generations HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\n";
        let length = GENERATE.len();
        write!(socket, "{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{GENERATE}").unwrap();
        while emulator.control("GET", "/balance", "")["charges"] == 0 {
            std::thread::yield_now();
        }
        assert_eq!(emulator.signal(signal), Some(0), "{signal}");
        assert_eq!(socket.read(&mut [0; 1]).unwrap_or(0), 0);
    }
}

#[test]
fn a_taken_port_is_said_to_be() {
    let emulator = Running::start(&[]);
    let port = emulator.authority().split(':').nth(1).unwrap();
    let output = command(&["--port", port]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(4), 0), "{said}");
    assert!(said.contains(&format!("port {port}")) && said.contains("--port 0") && said.lines().count() == 1, "{said}");
}

#[test]
fn mistakes_are_named() {
    for (args, says) in [
        (["--balance", "ten"], "US dollars"),
        (["--latency", "80s..45s"], "45s..80s"),
        (["--log-lag", "soon"], "150ms"),
        (["--error-form", "xml"], "documented"),
        (["--billing", "free"], "pessimistic"),
        (["--port", "65536"], "65535"),
        (["--key", ""], "--key"),
    ] {
        let output = command(&args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?} {said}");
        assert!(said.contains(says), "{args:?} {said}");
    }
}

#[test]
fn settings_are_flags() {
    let emulator = Running::start(&[
        "--latency",
        "1ms..3ms",
        "--log-lag",
        "5s",
        "--url-expiry",
        "1h",
        "--error-form",
        "nest",
        "--no-price-headers",
        "--balance",
        "0.06",
        "--billing",
        "pessimistic",
    ]);
    assert_eq!(
        emulator.control("GET", "/settings", ""),
        json!({
            "latency": "1ms..3ms", "log_lag": "5s", "url_expiry": "3600s", "error_form": "nest", "price_headers": false
        })
    );
    emulator.control("POST", "/faults", r#"{"answer": {"status": 503}}"#);
    assert_eq!(emulator.generate().0, 503);
    let (status, refusal) = emulator.generate();
    let refusal: Value = serde_json::from_str(&refusal).unwrap();
    assert_eq!((status, refusal["error"].as_str()), (403, Some("Forbidden")));
    let ledger = emulator.control("GET", "/ledger?settled=true", "");
    assert_eq!((&ledger["charges"], &ledger["balance_usd"]), (&json!(1), &json!("0.0063295")));
}

#[test]
fn faults_and_truth_go_over_http() {
    let emulator = Running::start(&[]);
    emulator.control(
        "POST",
        "/faults",
        r#"[{"answer": {"status": 429}, "on_call": 2}, {"delay": "1ms", "on_call": 9}]"#,
    );
    assert_eq!([emulator.generate().0, emulator.generate().0, emulator.generate().0], [200, 429, 200]);
    assert_eq!(emulator.control("DELETE", "/faults", "")["waiting"]["calls"], 0);
    let ledger = emulator.control("GET", "/ledger?settled=true", "");
    let statuses: Vec<_> = ledger["entries"].as_array().unwrap().iter().map(|entry| entry["status"].clone()).collect();
    assert_eq!(statuses, [200, 429, 200]);
    assert_eq!(emulator.control("GET", "/requests", "").as_array().unwrap().len(), 3);
    let (status, refusal) = emulator.exchange("POST", "/_emulator/faults", "", r#"{"answr": 1}"#);
    assert!(status == 400 && refusal.contains("answr") && refusal.contains("`answer`"), "{refusal}");
}

#[test]
fn help_teaches_by_example() {
    let output = command(&["--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && help.contains("curl http://127.0.0.1:8080/_emulator/faults"), "{help}");
}
