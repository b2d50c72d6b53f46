//! The command in a folder of its own, against an emulator of its own.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test program uses a part of it")]

use std::path::Path;
use std::process::{Command, Output};

use gptimage_emulator::{Billing, Emulator};

pub(crate) const KEY: &str = "sk-test-of-the-command";

/// The command in a folder, with nothing of this machine's environment that it looks at.
pub(crate) fn gptimage(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gptimage"));
    command.current_dir(folder);
    for name in gptimage_core::KEY_VARIABLES.iter().chain(gptimage_core::BASE_URL_VARIABLES) {
        command.env_remove(name);
    }
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "REQUEST_METHOD"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn against(emulator: &Emulator, folder: &Path) -> Command {
    let mut command = gptimage(folder);
    command.env("AIMLAPI_KEY", KEY).env("AIMLAPI_BASE_URL", emulator.base_url());
    command
}

pub(crate) fn emulator() -> Emulator {
    Emulator::builder().billing(Billing::Pessimistic).spawn().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn exit(output: &Output) -> i32 {
    assert!(
        !text(&output.stderr).contains(KEY) && !text(&output.stdout).contains(KEY),
        "the key is printed: {output:?}"
    );
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}
