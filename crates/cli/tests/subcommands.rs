//! Pipes, and the subcommands around the main job: fetch, doctor, completions.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod support;

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use gptimage_emulator::{CdnFault, Cut, Emulator, ErrorBody, Fault};
use serde_json::Value;
use support::{KEY, against, emulator, exit, gptimage, text};

const PNG: &[u8] = include_bytes!("../../../tests/fixtures/rgba-4x4.png");

fn fed(command: &mut Command, stdin: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The command may refuse before it reads.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn a_prompt_and_a_picture_come_through_a_pipe() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let output =
        fed(against(&emulator, folder.path()).args(["generate", "-", "-o", "a.png"]), b"A T-Rex\non a beach\n");
    assert_eq!(exit(&output), 0, "{output:?}");
    assert_eq!(emulator.ledger()[0].prompt.as_deref(), Some("A T-Rex\non a beach"));

    let output = fed(against(&emulator, folder.path()).args(["edit", "A crown", "--image", "-", "-o", "b.png"]), PNG);
    assert_eq!(exit(&output), 0, "{output:?}");
    let body = emulator.requests().into_iter().rfind(|seen| seen.target.contains("edits")).unwrap().body.unwrap();
    assert!(body.windows(PNG.len()).any(|window| window == PNG));

    for args in [["edit", "-", "--image", "-"], ["edit", "A", "-i-", "-i-"]] {
        let output = fed(against(&emulator, folder.path()).args(args), b"words");
        assert_eq!(exit(&output), 2, "{output:?}");
        assert!(text(&output.stderr).contains("only once"), "{output:?}");
    }
    let output = fed(against(&emulator, folder.path()).args(["generate", "-"]), b"\xff\xfe");
    assert_eq!(exit(&output), 2);
}

#[test]
fn a_picture_goes_to_the_next_program() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    for format in ["url", "b64_json"] {
        let args = ["generate", "A T-Rex", "-o", "-", "--response-format", format];
        let output = against(&emulator, folder.path()).args(args).output().unwrap();
        assert_eq!(exit(&output), 0, "{:?}", text(&output.stderr));
        let picture = image::load_from_memory(&output.stdout).unwrap();
        assert_eq!(picture.width(), 1024);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    for args in [&["generate", "A", "-o", "-", "--json"][..], &["edit", "A", "-i", "x.png", "--n", "2", "-o", "-"]] {
        assert_eq!(exit(&against(&emulator, folder.path()).args(args).output().unwrap()), 2, "{args:?}");
    }
}

#[test]
fn a_picture_that_the_next_program_does_not_take_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = gptimage(folder.path())
        .args(["generate", "A T-Rex", "--emulator", "-o", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(exit(&output), 4, "{output:?}");
    assert!(text(&output.stderr).contains("paid for and saved"), "{output:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A URL of a picture that was made and not fetched.
fn url(emulator: &Emulator, folder: &std::path::Path) -> String {
    emulator.cdn_fault(CdnFault::status(500).always());
    let output = against(emulator, folder).args(["generate", "A T-Rex", "--json"]).output().unwrap();
    assert_eq!(exit(&output), 31, "{output:?}");
    emulator.clear_faults();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let url = shown["error"]["generated"]["images"][0]["url"].as_str().unwrap().to_owned();
    assert!(text(&output.stderr).contains(&format!("gptimage fetch '{url}'")), "{output:?}");
    url
}

#[test]
fn a_paid_picture_is_fetched_again_without_a_key() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let url = url(&emulator, folder.path());
    let fetch = |args: &[&str]| {
        let base = ["fetch", url.as_str(), "--base-url", emulator.base_url()];
        gptimage(folder.path()).args(base).args(args).output().unwrap()
    };
    let output = fetch(&["-o", "t-rex.png"]);
    assert_eq!(exit(&output), 0, "{output:?}");
    assert_eq!(text(&output.stdout).trim_end(), folder.path().join("t-rex.png").to_str().unwrap());
    assert_eq!(image::open(folder.path().join("t-rex.png")).unwrap().width(), 1024);
    assert_eq!(exit(&fetch(&["-o", "t-rex.png"])), 4, "nothing is overwritten");
    let output = fetch(&["--json"]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["format"], "png");

    emulator.cdn_fault(CdnFault::cut(1000, Cut::Fin).always());
    let output = fetch(&["-o", "half.png"]);
    assert_eq!(exit(&output), 31, "{output:?}");
    assert!(!folder.path().join("half.png").exists());
    assert_eq!(emulator.charges(), 1);
}

#[test]
fn a_url_that_leads_to_this_machine_is_not_fetched_for_the_real_gateway() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let output = gptimage(folder.path()).args(["fetch", emulator.cdn_url(), "-o", "a.png"]).output().unwrap();
    // A machine without certificates stops earlier.
    assert!(matches!(exit(&output), 31 | 3), "{output:?}");
    assert!(emulator.requests().is_empty());
}

#[test]
fn the_doctor_says_what_works() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let output = against(&emulator, folder.path()).arg("doctor").env_remove("HTTPS_PROXY").output().unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
    let said = text(&output.stdout);
    for line in ["from AIMLAPI_KEY", "from AIMLAPI_BASE_URL", "USD"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let output = against(&emulator, folder.path()).args(["doctor", "--json"]).output().unwrap();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(shown["checks"].as_array().unwrap().iter().any(|check| check["name"] == "balance" && check["ok"] == true));
}

#[test]
fn the_doctor_says_what_does_not_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let picky = Emulator::builder().key("sk-another-key").spawn().unwrap();
    let output = against(&picky, folder.path()).arg("doctor").output().unwrap();
    assert_eq!(exit(&output), 21, "{output:?}");
    assert!(text(&output.stdout).contains("copy the key again"), "{output:?}");

    let output = gptimage(folder.path()).args(["doctor", "--base-url", picky.base_url()]).output().unwrap();
    assert_eq!(exit(&output), 3, "{output:?}");
    assert!(text(&output.stdout).contains("--emulator"), "{output:?}");

    let output = gptimage(folder.path()).args(["doctor", "--base-url", "http://example.com"]).output().unwrap();
    assert_eq!(exit(&output), 3, "{output:?}");

    let output = gptimage(folder.path())
        .env("AIMLAPI_KEY", KEY)
        .args(["doctor", "--base-url", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    assert_eq!(exit(&output), 10, "{output:?}");
}

#[test]
fn the_doctors_advice_fits_what_answers() {
    let folder = tempfile::tempdir().unwrap();
    for (status, kind, body, next) in [
        (200, "text/html", "<html><title>Sign in</title></html>", "what answers there is not the gateway"),
        (404, "text/html", "<html><title>404 Not Found</title></html>", "what answers there is not the gateway"),
        (405, "text/plain", "no", "what answers there is not the gateway"),
        (301, "text/plain", "", "it redirects"),
        (402, "text/plain", "", "top the account up"),
        (403, "text/plain", "error code: 1010", "firewall or proxy"),
        (503, "text/html", "<html><title>503 Service Unavailable</title></html>", "fails: try again later"),
        (429, "text/plain", "", "try again later"),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
        });
        let output =
            gptimage(folder.path()).env("AIMLAPI_KEY", KEY).args(["doctor", "--base-url", &url]).output().unwrap();
        server.join().unwrap();
        let said = text(&output.stdout);
        assert!(said.contains(next), "{status}: {said}");
        assert!(!said.contains("key that may"), "{said}");
    }
}

#[test]
fn completions_name_every_verb_and_flag() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = gptimage(folder.path()).args(["completions", shell]).output().unwrap();
        assert_eq!(exit(&output), 0);
        let script = text(&output.stdout);
        for word in ["generate", "edit", "fetch", "doctor", "output-compression"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
}

#[test]
fn json_holds_nothing_that_a_terminal_obeys() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
    let revised = "a\u{9b}2J\u{202e}b\u{1b}";
    let body = serde_json::json!({ "data": [{ "b64_json": png, "revised_prompt": revised }] }).to_string();
    emulator.fault(Fault::success_body(body));
    let output = against(&emulator, folder.path()).args(["generate", "A", "--json"]).output().unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
    let said = text(&output.stdout);
    assert!(!said.trim_end().chars().any(|char| char.is_control() || char == '\u{202e}'), "{said:?}");
    let shown: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(shown["images"][0]["revised_prompt"], revised, "and says the same");

    emulator.fault(Fault::answer(400).body(ErrorBody::documented("no\u{9b}2J")));
    let output = against(&emulator, folder.path()).args(["generate", "A", "--json"]).output().unwrap();
    assert!(!text(&output.stdout).contains('\u{9b}'));
}

#[test]
fn every_error_is_an_object_with_json() {
    let folder = tempfile::tempdir().unwrap();
    for (args, code, kind) in [
        (&["generate", "A", "--json", "--nonsense"][..], 2, "invalid_request"),
        (&["edit", "A", "--json"], 2, "invalid_request"),
        (&["generate", "A", "--json", "-o", "-"], 2, "invalid_request"),
        (&["generate", "A", "--json", "--size", "1x1"], 2, "invalid_request"),
        (&["generate", "A", "--json"], 3, "config"),
        (&["fetch", "ftp://example.com/a.png", "--json", "-o", "a.png"], 31, "download_failed"),
    ] {
        let output = gptimage(folder.path()).args(args).output().unwrap();
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{args:?}: {output:?}"));
        // A machine without certificates stops a fetch earlier.
        if shown["error"]["kind"] != "config" {
            assert_eq!((exit(&output), &shown["error"]["kind"]), (code, &Value::from(kind)), "{args:?}");
        }
        assert!(!shown["error"]["message"].as_str().unwrap().is_empty());
    }
}
