//! The command through its binary, as a shell sees it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod support;

use std::path::Path;
use std::process::Stdio;

use gptimage_emulator::{CdnFault, Cut, ErrorBody, Fault};
use serde_json::Value;

use support::{against, emulator, exit, gptimage, text};

#[test]
fn the_main_job_on_the_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let run = || {
        gptimage(folder.path())
            .args(["generate", "A T-Rex relaxing on a beach", "--emulator", "--overwrite", "-o", "t-rex.png"])
            .output()
            .unwrap()
    };
    for _ in 0..2 {
        let output = run();
        assert_eq!(exit(&output), 0, "{output:?}");
        let path = folder.path().join("t-rex.png");
        assert_eq!(text(&output.stdout).trim_end(), path.to_str().unwrap());
        let picture = image::open(&path).unwrap();
        assert_eq!((picture.width(), picture.height()), (1024, 1024));
        let said = text(&output.stderr);
        assert!(said.contains("0.0536705 USD (107341 credits)") && said.contains("id gptimage-"), "{said}");
    }
}

#[test]
fn every_parameter_is_a_flag_in_both_spellings() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let output = against(&emulator, folder.path())
        .args(["generate", "A T-Rex", "--size", "1536x1024", "--quality", "high", "--output-format", "webp"])
        .args(["--background=transparent", "--n", "1", "--output_compression", "40", "--response_format", "b64_json"])
        .args(["--moderation", "low", "--model", "openai/gpt-image-2", "--extra", "seed=7", "--extra", "style=plain"])
        .output()
        .unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
    let body = emulator.requests()[0].body.clone().unwrap();
    assert_eq!(
        text(&body),
        r#"{"model":"openai/gpt-image-2","prompt":"A T-Rex","size":"1536x1024","quality":"high","output_format":"webp","background":"transparent","n":1,"output_compression":40,"response_format":"b64_json","moderation":"low","seed":7,"style":"plain"}"#
    );
    let path = text(&output.stdout);
    let name = Path::new(path.trim_end()).file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.starts_with("gptimage-") && name.ends_with("-1.webp"), "{name}");
}

#[test]
fn edit_with_two_pictures_and_a_mask() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let square = |alpha| image::RgbaImage::from_pixel(64, 64, image::Rgba([200, 30, 30, alpha]));
    square(255).save(folder.path().join("a.png")).unwrap();
    square(255).save(folder.path().join("b.webp")).unwrap();
    square(0).save(folder.path().join("mask.png")).unwrap();
    std::fs::create_dir(folder.path().join("out")).unwrap();
    let output = against(&emulator, folder.path())
        .args(["edit", "Put the crown on", "--image", "a.png", "-i", "b.webp", "--mask", "mask.png", "--n", "2"])
        .args(["-o", "out/crown.png"])
        .output()
        .unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
    let written: Vec<_> = text(&output.stdout).lines().map(str::to_owned).collect();
    let expected = ["crown-1.png", "crown-2.png"].map(|name| folder.path().join("out").join(name));
    assert_eq!(written, expected.map(|path| path.to_str().unwrap().to_owned()));
    assert_eq!(emulator.ledger()[0].input_images, 2);
}

#[test]
fn json_is_one_object() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let output = against(&emulator, folder.path()).args(["generate", "A T-Rex", "--json", "-o", "a"]).output().unwrap();
    assert_eq!(exit(&output), 0);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["images"][0]["path"], folder.path().join("a.png").to_str().unwrap());
    assert_eq!(shown["cost"]["usd"], "0.0536705");
    assert_eq!(shown["attempts"][0]["charge"], "charged");
    assert_eq!(shown["client_request_id"].as_str(), emulator.ledger()[0].client_request_id.as_deref());

    emulator.fault(Fault::answer(403).body(ErrorBody::problem_kind("No", "err_insufficent_credits")));
    let output = against(&emulator, folder.path()).args(["generate", "A T-Rex", "--json"]).output().unwrap();
    assert_eq!(exit(&output), 23);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["error"]["kind"], &shown["error"]["number"]), (&"insufficient_credits".into(), &23.into()));
}

#[test]
fn a_dry_run_needs_no_key_and_sends_nothing() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let output = gptimage(folder.path())
        .args(["generate", "A \"T-Rex\"", "--dry-run", "--base-url", emulator.base_url()])
        .output()
        .unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
    let shown = text(&output.stdout);
    assert!(shown.starts_with("POST /v1/images/generations HTTP/1.1\n"), "{shown}");
    assert!(shown.ends_with("{\"model\":\"openai/gpt-image-2\",\"prompt\":\"A \\\"T-Rex\\\"\"}\n"), "{shown}");
    assert!(shown.contains("authorization: Bearer <redacted>"), "{shown}");
    assert_eq!(emulator.connections(), 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn without_a_key_it_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let output = gptimage(folder.path())
        .args(["generate", "A T-Rex"])
        .env("AIMLAPI_KEY", "  ")
        .env("OPENAI_API_KEY", "sk-somebody-elses")
        .output()
        .unwrap();
    assert_eq!(exit(&output), 3);
    let said = text(&output.stderr);
    for word in ["AIMLAPI_KEY", "AIMLAPI_API_KEY", "AIML_API_KEY", "--emulator"] {
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let output = gptimage(folder.path())
        .args(["edit", "", "--image", "missing.png", "--n", "eleven", "--size", "1x1", "--quality", "-5"])
        .output()
        .unwrap();
    assert_eq!(exit(&output), 2);
    let said = text(&output.stderr);
    for word in ["prompt", "image: missing.png cannot be read", "n: \"eleven\"", "size: \"1x1\"", "quality: \"-5\""] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let output = gptimage(folder.path()).args(["edit", "A crown"]).output().unwrap();
    assert_eq!(exit(&output), 2, "an image is required");
    let output =
        gptimage(folder.path()).args(["edit", "A", "--image", "a.png", "--moderation", "low"]).output().unwrap();
    assert_eq!(exit(&output), 2, "moderation is no parameter of edit");
}

#[test]
fn a_file_that_exists_is_refused_before_anything_is_sent() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("t-rex.png"), "mine").unwrap();
    let output = against(&emulator, folder.path()).args(["generate", "A", "-o", "t-rex.png"]).output().unwrap();
    assert_eq!(exit(&output), 4);
    assert!(text(&output.stderr).contains("exists"), "{output:?}");
    assert_eq!(std::fs::read(folder.path().join("t-rex.png")).unwrap(), b"mine");
    assert_eq!(emulator.connections(), 0);
}

#[test]
fn each_kind_of_failure_has_its_exit_code() {
    for (fault, code) in [
        (Fault::answer(400).body(ErrorBody::documented("Invalid payload provided")), 20),
        (Fault::answer(401).body(ErrorBody::documented("Unauthorized")), 21),
        (Fault::answer(403).body(ErrorBody::Html), 22),
        (Fault::answer(404).body(ErrorBody::Empty), 24),
        (Fault::answer(400).body(ErrorBody::openai("No", "user_error", "moderation_blocked")), 25),
        (Fault::answer(429).body(ErrorBody::Empty).header("Retry-After", "600"), 26),
        (Fault::answer(500).body(ErrorBody::documented("Failed")), 27),
        (Fault::answer(502).body(ErrorBody::Html), 11),
        (Fault::cut_response(0, Cut::Rst), 11),
        (Fault::success_body("{}"), 30),
    ] {
        let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
        let shown = format!("{fault:?}");
        emulator.fault(fault);
        let output = against(&emulator, folder.path()).args(["generate", "A T-Rex"]).output().unwrap();
        assert_eq!(exit(&output), code, "{shown}: {output:?}");
        let id = emulator.ledger()[0].client_request_id.clone().unwrap();
        assert!(text(&output.stderr).contains(&id), "what was sent is named: {output:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_deadline_ends_the_wait() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    emulator.fault(Fault::cut_response(0, Cut::Silence));
    let output = against(&emulator, folder.path()).args(["generate", "A", "--deadline", "0.3s"]).output().unwrap();
    assert_eq!(exit(&output), 11, "{output:?}");
    for wrong in ["soon", "-1", "0", "1e400"] {
        let output = against(&emulator, folder.path()).args(["generate", "A", &format!("--deadline={wrong}")]).output();
        assert_eq!(exit(&output.unwrap()), 2, "{wrong}");
    }
}

#[test]
fn what_was_paid_for_is_named_when_it_cannot_be_fetched() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    emulator.cdn_fault(CdnFault::status(403).always());
    let output = against(&emulator, folder.path()).args(["generate", "A T-Rex"]).output().unwrap();
    assert_eq!(exit(&output), 31);
    assert!(text(&output.stderr).contains(emulator.cdn_url()), "{output:?}");
}

#[test]
fn the_servers_text_cannot_control_the_terminal() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    emulator.fault(Fault::answer(400).body(ErrorBody::documented("\u{1b}[2J\u{7}\u{202e}gone\r\nfake: line")));
    let output = against(&emulator, folder.path()).args(["generate", "A T-Rex"]).output().unwrap();
    let said = text(&output.stderr);
    // Threat: terminal-control
    assert!(!said.chars().any(|char| char.is_control() && char != '\n'), "{said:?}");
    assert!(!said.contains('\u{202e}') && !said.lines().any(|line| line.starts_with("fake")), "{said:?}");
}

#[test]
fn a_reader_that_leaves_is_no_reason_to_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = gptimage(folder.path())
        .args(["generate", "A T-Rex", "--emulator"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
}

#[test]
fn help_teaches_by_example() {
    let folder = tempfile::tempdir().unwrap();
    for subcommand in ["generate", "edit"] {
        let output = gptimage(folder.path()).args([subcommand, "--help"]).output().unwrap();
        assert_eq!(exit(&output), 0);
        assert!(text(&output.stdout).contains("Examples:\n  gptimage "), "{output:?}");
    }
    let output = gptimage(folder.path()).arg("--version").output().unwrap();
    assert_eq!(text(&output.stdout).trim_end(), concat!("gptimage ", env!("CARGO_PKG_VERSION")));
}
