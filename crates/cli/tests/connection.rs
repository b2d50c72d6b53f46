//! The way to the gateway as flags and the environment say it: proxies, certificates, base URLs and keys as they are pasted.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod support;

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};

use gptimage_emulator::Emulator;
use gptimage_torture::scripted::{Authority, ScriptedServer};
use serde_json::Value;
use support::{KEY, against, emulator, exit, gptimage, text};

const GENERATE: &[&str] = &["generate", "A T-Rex", "--response-format", "b64_json", "--overwrite", "-o", "a.png"];
/// A name that nobody has, so that what reaches it goes through a proxy.
const ELSEWHERE: &[&str] = &["--base-url", "http://gateway.invalid", "--allow-http"];

fn said(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The emulator answers absolute URLs, too: it is its own proxy.
fn as_proxy(emulator: &Emulator) -> String {
    emulator.base_url().trim_end_matches("/v1").to_owned()
}

fn keyed(folder: &Path) -> Command {
    let mut command = gptimage(folder);
    command.env("AIMLAPI_KEY", KEY);
    command
}

#[test]
fn a_proxy_that_cannot_be_used_is_named_before_anything_is_sent() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let url = format!("{}/x.png", emulator.cdn_url());
    let subcommands: [&[&str]; 4] = [GENERATE, &["doctor"], &["fetch", &url], &["reconcile", "x"]];
    for subcommand in subcommands {
        for written in ["\"http://127.0.0.1:9\"", "gopher://hunter2@127.0.0.1:9", "http://user:hunter2@"] {
            let output =
                against(&emulator, folder.path()).args(subcommand).args(["--proxy", written]).output().unwrap();
            assert_eq!(exit(&output), 3, "{subcommand:?} {written}: {output:?}");
            assert!(said(&output).contains("--proxy") && !said(&output).contains("hunter2"), "{output:?}");
            for name in ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"] {
                let output = against(&emulator, folder.path()).args(subcommand).env(name, written).output().unwrap();
                assert_eq!(exit(&output), 3, "{subcommand:?} {name}={written}: {output:?}");
                assert!(said(&output).contains(name) && !said(&output).contains("hunter2"), "{output:?}");
            }
        }
    }
    let json: Vec<_> = GENERATE.iter().chain(&["--json", "--proxy", "'http://127.0.0.1:9'"]).collect();
    let output = against(&emulator, folder.path()).args(json).output().unwrap();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["error"]["kind"], &shown["error"]["charge"]), (&"config".into(), &"not_charged".into()));
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        let output = against(&emulator, folder.path())
            .args(GENERATE)
            .env("ALL_PROXY", OsString::from_vec(b"http://\xff:9".to_vec()))
            .output()
            .unwrap();
        assert_eq!(exit(&output), 3, "{output:?}");
        assert!(said(&output).contains("ALL_PROXY"), "{output:?}");
    }
    assert_eq!((emulator.connections(), emulator.requests().len()), (0, 0));
}

#[test]
fn the_environments_proxies_are_used_and_never_passed_by() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let proxy = as_proxy(&emulator);
    let run = |variables: &[(&str, &str)]| {
        let mut command = keyed(folder.path());
        command.args(GENERATE).args(ELSEWHERE).envs(variables.iter().copied());
        exit(&command.output().unwrap())
    };
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        assert_eq!(run(&[(name, &format!(" {proxy}/ "))]), 0, "{name}");
    }
    assert_eq!(run(&[("HTTP_PROXY", &proxy), ("NO_PROXY", "other.invalid, gateway.invalid:443,")]), 0);
    // Threat: past-the-proxy
    assert_eq!(emulator.charges(), 5);
    // Nobody has this name, so the direct way ends there.
    for exempt in ["*", "*.invalid", ".invalid", "a, GATEWAY.invalid", "gateway.invalid:80"] {
        assert_eq!(run(&[("HTTP_PROXY", &proxy), ("NO_PROXY", exempt)]), 10, "{exempt}");
    }
    // The other scheme's proxy is not asked.
    assert_eq!(run(&[("HTTPS_PROXY", &proxy)]), 10);
    // What a stranger may have sent is neither believed nor ignored.
    assert_eq!(run(&[("HTTP_PROXY", &proxy), ("REQUEST_METHOD", "GET")]), 3);
    assert_eq!(emulator.charges(), 5);
}

#[test]
fn a_proxy_in_words_is_for_this_machine_too_and_the_environments_are_not() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let dead = closed_port();
    for scheme in ["http", "socks", "socks5", "socks5h", "socks4"] {
        let proxy = format!("{scheme}://127.0.0.1:{dead}");
        let output = against(&emulator, folder.path()).args(GENERATE).args(["--proxy", &proxy]).output().unwrap();
        assert_eq!(exit(&output), 10, "{output:?}");
        assert!(said(&output).contains("from --proxy"), "{output:?}");
    }
    assert_eq!((emulator.charges(), emulator.connections()), (0, 0), "never past it");
    let output = against(&emulator, folder.path())
        .args(GENERATE)
        .env("ALL_PROXY", format!("socks5://127.0.0.1:{dead}"))
        .output()
        .unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
    // As of a variable that is not set: a proxy was asked for.
    let output = against(&emulator, folder.path()).args(GENERATE).args(["--proxy", ""]).output().unwrap();
    assert_eq!(exit(&output), 3, "{output:?}");
    assert!(said(&output).contains("--proxy") && said(&output).contains("empty"), "{output:?}");
}

#[test]
fn the_doctor_says_which_proxy_is_used_and_why_none() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let proxy = as_proxy(&emulator).replace("http://", "http://user:hunter2@");
    let doctor = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output =
            keyed(folder.path()).arg("doctor").args(arguments).envs(variables.iter().copied()).output().unwrap();
        let said = said(&output);
        assert!(!said.contains("hunter2"), "{said}");
        said.lines().find(|line| line.starts_with("proxy")).unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    let here = ["--base-url", emulator.base_url()];
    for (arguments, variables, expected) in [
        (ELSEWHERE, &[("HTTP_PROXY", proxy.as_str())][..], "from HTTP_PROXY"),
        (ELSEWHERE, &[("all_proxy", &proxy), ("HTTPS_PROXY", "http://127.0.0.1:9")], "from all_proxy"),
        (
            ELSEWHERE,
            &[("HTTP_PROXY", &proxy), ("no_proxy", ".invalid")],
            "none, for no_proxy exempts this host (HTTP_PROXY is set)",
        ),
        (ELSEWHERE, &[("HTTPS_PROXY", &proxy)], "none"),
        (&here, &[("HTTP_PROXY", &proxy)], "none, for it is this machine itself (HTTP_PROXY is set)"),
        (&[here[0], here[1], "--proxy", &proxy], &[("HTTP_PROXY", "http://127.0.0.1:9")], "from --proxy"),
        (&here, &[], "none"),
    ] {
        let line = doctor(arguments, variables);
        assert!(line.ends_with(expected), "{arguments:?} {variables:?}: {line}");
    }
}

/// A gateway behind TLS, on a thread of its own that ends with the process.
fn encrypted() -> (String, String) {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let authority = Authority::new().unwrap();
            let server = ScriptedServer::builder().tls(&authority).start().await.unwrap();
            tell.send((server.base_url().to_owned(), authority.pem().to_owned())).unwrap();
            std::future::pending::<()>().await
        });
    });
    told.recv().unwrap()
}

#[test]
fn certificates_that_other_tools_are_told_of_are_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (base_url, pem) = encrypted();
    let bundle = folder.path().join("bundle.pem");
    let store = folder.path().join("store");
    std::fs::write(&bundle, &pem).unwrap();
    std::fs::create_dir(&store).unwrap();
    std::fs::write(store.join("ours.pem"), &pem).unwrap();
    let run = |subcommand: &[&str], variables: &[(&str, &Path)]| {
        let mut command = keyed(folder.path());
        command.args(subcommand).args(["--base-url", &base_url]).envs(variables.iter().copied()).output().unwrap()
    };
    for (name, path) in [
        ("SSL_CERT_FILE", &bundle),
        ("SSL_CERT_DIR", &store),
        ("REQUESTS_CA_BUNDLE", &bundle),
        ("REQUESTS_CA_BUNDLE", &store),
        ("CURL_CA_BUNDLE", &bundle),
    ] {
        let output = run(GENERATE, &[(name, path)]);
        assert_eq!(exit(&output), 0, "{name}: {output:?}");
        assert!(said(&run(&["doctor"], &[(name, path)])).contains(name), "the doctor names it");
    }
    // A folder beside a file may be missing, as it is on many machines.
    let nowhere = folder.path().join("nowhere");
    assert_eq!(exit(&run(GENERATE, &[("SSL_CERT_FILE", &bundle), ("SSL_CERT_DIR", &nowhere)])), 0);
    // What cannot be read is named, by every subcommand; a file that is given in words is enough.
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        for subcommand in [GENERATE, &["doctor"]] {
            let output = run(subcommand, &[(name, &nowhere)]);
            assert_eq!(exit(&output), 3, "{name}: {output:?}");
            assert!(said(&output).contains(name), "{name}: {output:?}");
        }
        let given: Vec<_> = GENERATE.iter().copied().chain(["--ca-file", bundle.to_str().unwrap()]).collect();
        assert_eq!(exit(&run(&given, &[(name, &nowhere)])), 0, "{name}");
    }
    let output = run(GENERATE, &[]);
    assert!(matches!(exit(&output), 10 | 3), "without them it is nobody's: {output:?}");
    assert!(!said(&output).contains("try again later"), "{output:?}");
}

#[test]
fn an_endpoint_in_the_base_url_is_left_out_with_a_note() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    let root = as_proxy(&emulator);
    for pasted in ["/v1/images/generations", "/v1/images/edits/", "/v1/v1", "/v1/chat/completions", "/v1/models"] {
        let base_url = format!("{root}{pasted}");
        let output = keyed(folder.path()).args(GENERATE).args(["--base-url", &base_url]).output().unwrap();
        assert_eq!(exit(&output), 0, "{pasted}: {output:?}");
        assert!(text(&output.stderr).contains("note: the base URL"), "{output:?}");
        let output = keyed(folder.path()).args(["doctor", "--base-url", &base_url]).output().unwrap();
        assert_eq!(exit(&output), 0, "{output:?}");
        assert!(text(&output.stdout).contains("the base URL ended in"), "{output:?}");
    }
    let seen = emulator.requests();
    assert!(
        seen.iter().all(|seen| ["/v1/images/generations", "/v2/billing"].contains(&seen.target.as_str())),
        "{seen:?}"
    );
    // As it is, in words.
    let exact = format!("{root}/v1/images#");
    let output = keyed(folder.path()).args(GENERATE).args(["--base-url", &exact]).output().unwrap();
    assert_eq!(exit(&output), 24, "{output:?}");
    assert_eq!(emulator.requests().last().unwrap().target, "/v1/images/images/generations");
    for (pasted, instead) in [
        (root.trim_start_matches("http://").to_owned(), format!("write {root}")),
        (format!("\"{root}\""), "quotes".to_owned()),
    ] {
        let output = keyed(folder.path()).args(GENERATE).env("AIMLAPI_BASE_URL", pasted).output().unwrap();
        assert_eq!(exit(&output), 3, "{output:?}");
        assert!(said(&output).contains(&instead), "{output:?}");
    }
}

#[test]
fn a_key_as_it_is_pasted_is_refused_with_the_reason() {
    let (emulator, folder) = (emulator(), tempfile::tempdir().unwrap());
    for (key, reason) in [
        (format!("\"{KEY}\""), "quotes"),
        (format!("Bearer {KEY}"), "give the key alone"),
        (format!("AIMLAPI_KEY={KEY}"), "variable's name"),
        (format!("{KEY}\u{200b}"), "invisible"),
    ] {
        for subcommand in [GENERATE, &["doctor"]] {
            let output = against(&emulator, folder.path()).args(subcommand).env("AIMLAPI_KEY", &key).output().unwrap();
            assert_eq!(exit(&output), 3, "{output:?}");
            assert!(said(&output).contains(reason), "{output:?}");
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        // Once such a base URL was not seen at all, and the key went elsewhere.
        for name in ["AIMLAPI_KEY", "AIMLAPI_BASE_URL"] {
            let value = OsString::from_vec(b"http://127.0.0.1:9/\xff".to_vec());
            let output = against(&emulator, folder.path()).args(GENERATE).env(name, value).output().unwrap();
            assert_eq!(exit(&output), 3, "{output:?}");
            assert!(said(&output).contains(name), "{output:?}");
        }
    }
    assert!(emulator.requests().is_empty());
    let padded = format!(" {KEY}\n");
    let output = against(&emulator, folder.path()).args(GENERATE).env("AIMLAPI_KEY", padded).output().unwrap();
    assert_eq!(exit(&output), 0, "{output:?}");
}
