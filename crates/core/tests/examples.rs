//! Each program in examples/rust runs, against the emulator.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

use gptimage_emulator::Emulator;

fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/rust");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Cargo builds a package's examples beside its tests.
fn binary(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

#[test]
fn each_example_runs() {
    let names = examples();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let emulator = Emulator::builder().spawn().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(binary(&name))
            .current_dir(folder.path())
            .env("AIMLAPI_KEY", emulator.key())
            .env("AIMLAPI_BASE_URL", emulator.base_url())
            .output()
            .unwrap_or_else(|error| {
                panic!("{name} is not built (`cargo build --examples --all-features` does): {error}")
            });
        assert!(output.status.success(), "{name}: {output:?}");
        assert!(!output.stdout.is_empty(), "{name} says what it did");
        let needs_gateway = name != "test_your_software";
        assert_eq!(emulator.charges() > 0, needs_gateway, "{name}");
    }
}
