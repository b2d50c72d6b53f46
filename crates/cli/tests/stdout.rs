//! Where pictures and words go that are not for a file: pipes, devices, descriptors that are closed or full.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]
#![cfg(unix)]

mod support;

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Output, Stdio};

use gptimage_emulator::{CdnFault, Cut, Emulator, Fault};
use serde_json::{Value, json};
use support::{against, by_a_shell, emulator, exit, gptimage, names, text};

fn generate(emulator: &Emulator, folder: &Path, args: &[&str]) -> Output {
    against(emulator, folder).args(["generate", "A T-Rex"]).args(args).output().unwrap()
}

fn is_picture(bytes: &[u8]) -> bool {
    image::load_from_memory(bytes).is_ok_and(|picture| picture.width() == 1024)
}

/// A small picture of one colour, as base64.
fn small(shade: u8) -> (Vec<u8>, String) {
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(8, 8, image::Rgb([shade; 3]));
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let b64 = base64_simd::STANDARD.encode_to_string(png.get_ref());
    (png.into_inner(), b64)
}

#[test]
fn every_name_of_standard_output_is_written_to_as_a_stream() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let output = generate(&emulator, folder.path(), &["-o", name]);
        assert_eq!(exit(&output), 0, "{name}: {:?}", text(&output.stderr));
        assert!(is_picture(&output.stdout), "{name}");
        assert!(names(folder.path()).is_empty() && !Path::new("/dev/stdout.png").exists());
    }
    // Where it is a file, that stands there already and is no file to refuse.
    let file = File::create(folder.path().join("a.png")).unwrap();
    let status = against(&emulator, folder.path()).args(["generate", "A", "-o", "/dev/stdout"]).stdout(file).status();
    assert_eq!(status.unwrap().code(), Some(0));
    assert!(is_picture(&std::fs::read(folder.path().join("a.png")).unwrap()));
    for args in [["-o", "/dev/stdout", "--json"].as_slice(), &["-o", "/dev/fd/1", "--n", "2"]] {
        assert_eq!(exit(&generate(&emulator, folder.path(), args)), 2, "{args:?}");
    }
}

#[test]
fn devices_fifos_and_descriptors_are_written_to() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let output = generate(&emulator, folder.path(), &["-o", "/dev/null"]);
    assert_eq!((exit(&output), output.stdout.len()), (0, 0), "{output:?}");
    let output = generate(&emulator, folder.path(), &["-o", "/dev/null", "--json"]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((exit(&output), &shown["images"][0]["path"]), (0, &Value::Null));
    assert!(names(folder.path()).is_empty());

    let fifo = folder.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let reader = std::thread::spawn(move || std::fs::read(fifo).unwrap());
    assert_eq!(exit(&generate(&emulator, folder.path(), &["-o", "fifo", "--overwrite"])), 0);
    assert!(is_picture(&reader.join().unwrap()));

    let script = "gptimage generate A -o /dev/fd/3 3>>three.png";
    assert_eq!(exit(&by_a_shell(&emulator, folder.path(), script).output().unwrap()), 0);
    assert!(is_picture(&std::fs::read(folder.path().join("three.png")).unwrap()));
    assert_eq!(names(folder.path()), ["fifo", "three.png"]);
}

#[test]
fn what_takes_no_picture_is_refused_before_anything_is_sent() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let _listens = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    for name in ["/dev/stderr", "/dev/fd/2", "/dev/stdin", "/dev/fd/0", "/dev/fd/77", "socket", "/dev/nul"] {
        let output = generate(&emulator, folder.path(), &["-o", name]);
        assert!([2, 4].contains(&exit(&output)), "{name}: {output:?}");
        assert!(text(&output.stderr).contains(name) && output.stdout.is_empty(), "{name}: {output:?}");
    }
    assert_eq!(emulator.connections(), 0);
    assert_eq!(names(folder.path()), ["socket"]);
}

#[test]
fn a_closed_standard_output_is_found_before_anything_is_sent() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    for (args, redirection) in [
        ("-o -", ">&-"),
        ("-o /dev/stdout", ">&-"),
        ("--json", ">&-"),
        ("-o a.png", ">&-"),
        ("", ">&-"),
        ("-o -", "1</dev/null"),
        ("-o - <&-", ">&- 2>said"),
    ] {
        let script = format!("gptimage generate A {args} {redirection}");
        let output = by_a_shell(&emulator, folder.path(), &script).output().unwrap();
        assert_eq!(exit(&output), 4, "{script}: {output:?}");
        let said = text(&output.stderr) + &std::fs::read_to_string(folder.path().join("said")).unwrap_or_default();
        assert!(said.contains("standard output cannot be written to"), "{script}: {said}");
    }
    // Threat: stdout-broken
    assert_eq!((emulator.connections(), names(folder.path())), (0, vec!["said".to_owned()]));
    // Nothing is printed then; and other programs' way of saying "nowhere" is not a closed one.
    let script = "gptimage generate A -o /dev/null >&- && gptimage generate A -o a.png 1<>/dev/null";
    assert_eq!(exit(&by_a_shell(&emulator, folder.path(), script).output().unwrap()), 0);
    for subcommand in ["doctor", "--help", "completions bash", "generate A --dry-run"] {
        let output = by_a_shell(&emulator, folder.path(), &format!("gptimage {subcommand} >&-")).output().unwrap();
        assert_eq!(exit(&output), 4, "{subcommand}: {output:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_loses_nothing_and_is_no_success() {
    let emulator = emulator();
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let run = |args: &[&str], folder: &Path| {
        let output = against(&emulator, folder).args(args).stdout(full()).output().unwrap();
        assert_eq!(exit(&output), 4, "{args:?}: {output:?}");
        text(&output.stderr)
    };
    let folder = tempfile::tempdir().unwrap();
    let said = run(&["generate", "A", "-o", "-"], folder.path());
    let saved = names(folder.path());
    // Threat: stdout-broken
    assert!(
        saved.len() == 1 && said.contains(&format!("paid for and saved: {}", folder.path().join(&saved[0]).display()))
    );
    let said = run(&["generate", "A", "-o", "named.png"], folder.path());
    assert!(said.contains(folder.path().join("named.png").to_str().unwrap()), "{said}");
    let said = run(&["generate", "A", "-o", "object.png", "--json"], folder.path());
    let line = said.lines().find_map(|line| line.strip_prefix("gptimage: not printed: ")).unwrap();
    let object: Value = serde_json::from_str(line).unwrap();
    assert_eq!(object["images"][0]["path"], folder.path().join("object.png").to_str().unwrap());
    for args in
        [&["doctor"][..], &["doctor", "--json"], &["--help"], &["completions", "zsh"], &["generate", "A", "--dry-run"]]
    {
        run(args, folder.path());
    }
    // What failed anyway fails as what it is.
    emulator.fault(Fault::answer(401));
    let mut command = against(&emulator, folder.path());
    let output = command.args(["generate", "A", "--json"]).stdout(full()).output().unwrap();
    assert!(exit(&output) == 21 && text(&output.stderr).contains("\"authentication\""), "{output:?}");
}

#[test]
fn one_picture_a_stream_and_the_others_in_files() {
    let emulator = emulator();
    let ((first, one), (second, two), (third, three)) = (small(10), small(20), small(30));
    let body = json!({ "data": [{ "b64_json": one }, { "b64_json": two }, { "b64_json": three }] }).to_string();
    for (args, expected) in [(&["-o", "-"][..], &first[..]), (&["-o", "/dev/null"], b"")] {
        let folder = tempfile::tempdir().unwrap();
        emulator.fault(Fault::success_body(body.clone()));
        let output = generate(&emulator, folder.path(), args);
        assert_eq!(exit(&output), 0, "{output:?}");
        let said = text(&output.stderr);
        let kept: Vec<_> =
            said.lines().filter_map(|line| line.strip_prefix("gptimage: paid for and saved: ")).collect();
        assert_eq!([&std::fs::read(kept[0]).unwrap(), &std::fs::read(kept[1]).unwrap()], [&second, &third], "{said}");
        assert!(said.contains("3 pictures came, 1 were asked for"), "{said}");
        if expected.is_empty() {
            assert_eq!(text(&output.stdout).lines().collect::<Vec<_>>(), kept, "paths, for the picture went elsewhere");
        } else {
            assert_eq!(output.stdout, expected);
        }
    }
}

#[test]
fn more_files_than_asked_for_are_all_named() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let ((_, one), (_, two)) = (small(10), small(20));
    emulator.fault(Fault::success_body(json!({ "data": [{ "b64_json": one }, { "b64_json": two }] }).to_string()));
    let output = generate(&emulator, folder.path(), &["-o", "a.png"]);
    assert_eq!(exit(&output), 0, "{output:?}");
    let mut paths: Vec<_> =
        text(&output.stdout).lines().map(|path| Path::new(path).file_name().unwrap().to_owned()).collect();
    paths.sort();
    assert_eq!(paths, names(folder.path()).iter().map(std::ffi::OsString::from).collect::<Vec<_>>());
    assert_eq!(paths.len(), 2);
    assert!(text(&output.stderr).contains("2 pictures came"), "{output:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_whose_name_is_not_text_is_named_byte_by_byte() {
    let (emulator, parent) = (emulator(), tempfile::tempdir().unwrap());
    let folder = parent.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    std::fs::create_dir(&folder).unwrap();
    let exact = |name: &str| folder.join(name).into_os_string().as_bytes().to_vec();
    let decoded = |value: &Value| base64_simd::STANDARD.decode_to_vec(value.as_str().unwrap()).unwrap();

    let output = generate(&emulator, &folder, &["-o", "a.png"]);
    assert_eq!((exit(&output), output.stdout.strip_suffix(b"\n")), (0, Some(&exact("a.png")[..])));
    let output = generate(&emulator, &folder, &["-o", "b.png", "--json"]);
    assert_eq!(exit(&output), 0, "{output:?}");
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(decoded(&shown["images"][0]["path_base64"]), exact("b.png"));
    assert!(shown["images"][0]["path"].as_str().unwrap().ends_with("caf\u{fffd}/b.png"));

    // A picture that had no place is saved beside it, and named in the object.
    let ((whole, one), broken) = (small(10), base64_simd::STANDARD.encode_to_string("no picture"));
    emulator.fault(Fault::success_body(json!({ "data": [{ "b64_json": one }, { "b64_json": broken }] }).to_string()));
    let output = generate(&emulator, &folder, &["-o", "/dev/null", "--json"]);
    assert_eq!(exit(&output), 30, "{output:?}");
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let saved = decoded(&shown["saved_base64"][0]);
    assert!(saved.starts_with(&exact("gptimage-")), "{shown}");
    assert_eq!(std::fs::read(Path::new(std::ffi::OsStr::from_bytes(&saved))).unwrap(), whole);
    assert!(shown["saved"][0].as_str().unwrap().contains("caf\u{fffd}/gptimage-"), "{shown}");
}

#[test]
fn a_hint_is_read_by_a_shell_as_it_is_meant() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let made: Value = serde_json::from_slice(&generate(&emulator, folder.path(), &["--json"]).stdout).unwrap();
    let link = made["images"][0]["url"].as_str().unwrap();
    let url = format!("{link}?a=';touch pasted;echo '$(touch pasted)`touch pasted`&b=\"\n#'");
    emulator.fault(Fault::success_body(json!({ "data": [{ "url": url }] }).to_string()));
    emulator.cdn_fault(CdnFault::status(500).always());
    let output = gptimage(folder.path())
        .env("AIMLAPI_KEY", support::KEY)
        .args(["generate", "A T-Rex", "--base-url", emulator.base_url(), "--allow-http"])
        .output()
        .unwrap();
    assert_eq!(exit(&output), 31, "{output:?}");
    let said = text(&output.stderr);
    let hint = said.lines().find_map(|line| line.split_once("still at its URL: ")).unwrap().1.to_owned();
    assert!(hint.starts_with("gptimage fetch '") && hint.ends_with(" --allow-http"), "{hint}");
    assert!(hint.contains(&format!(" --base-url {} ", emulator.base_url())), "{hint}");

    emulator.clear_faults();
    let before = names(folder.path());
    let pasted = by_a_shell(&emulator, folder.path(), &hint).env_remove("AIMLAPI_BASE_URL").output().unwrap();
    assert_eq!(exit(&pasted), 0, "{pasted:?}");
    assert!(is_picture(&std::fs::read(text(&pasted.stdout).trim_end()).unwrap()));
    // Threat: pasted-hint
    assert_eq!(names(folder.path()).len(), before.len() + 1, "the picture, and nothing else");
    // Both asked for the same link.
    let requests = emulator.requests();
    let mut asked: Vec<_> =
        requests.iter().map(|seen| &seen.target).filter(|target| target.contains("pasted")).collect();
    asked.dedup();
    assert_eq!(asked.len(), 1, "{asked:?}");
}

#[test]
fn a_hint_names_the_base_url_that_a_variable_had() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    emulator.fault(Fault::cut_response(0, Cut::Rst));
    let output = generate(&emulator, folder.path(), &[]);
    let id = emulator.ledger()[0].client_request_id.clone().unwrap();
    let hint = format!("gptimage reconcile {id} --base-url {}", emulator.base_url());
    assert!(text(&output.stderr).contains(&hint), "{output:?}");
    // An emulator in the command ends with it: there is nobody to ask.
    let output = gptimage(folder.path()).args(["generate", "A", "--emulator", "--deadline", "0.001"]).output().unwrap();
    assert!(!text(&output.stderr).contains("gptimage reconcile"), "{output:?}");
}
