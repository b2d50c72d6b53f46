//! The command in a folder of its own, against an emulator of its own.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test program uses a part of it")]

use std::path::Path;
use std::process::{Command, Output};

use gptimage_emulator::{Billing, Emulator};

pub(crate) const KEY: &str = "sk-test-of-the-command";

/// The command in a folder, with nothing of this machine's environment that it looks at.
pub(crate) fn gptimage(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gptimage"));
    in_folder(&mut command, folder);
    command
}

/// Starts in a folder, with nothing of this machine's environment that the command looks at, and with no signal ignored.
pub(crate) fn in_folder<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    command.current_dir(folder);
    for name in gptimage_core::KEY_VARIABLES.iter().chain(gptimage_core::BASE_URL_VARIABLES) {
        command.env_remove(name);
    }
    #[cfg(unix)]
    signals::given(command, nix::sys::signal::SigHandler::SigDfl);
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "REQUEST_METHOD"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn with_key<'a>(command: &'a mut Command, emulator: &Emulator) -> &'a mut Command {
    command.env("AIMLAPI_KEY", KEY).env("AIMLAPI_BASE_URL", emulator.base_url())
}

pub(crate) fn against(emulator: &Emulator, folder: &Path) -> Command {
    let mut command = gptimage(folder);
    with_key(&mut command, emulator);
    command
}

/// The command by way of a shell, whose redirections `script` has; in it, `gptimage` is the command.
pub(crate) fn by_a_shell(emulator: &Emulator, folder: &Path, script: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("gptimage() {{ \"$COMMAND\" \"$@\"; }}; {script}");
    command.args(["-c", &script]).env("COMMAND", env!("CARGO_BIN_EXE_gptimage"));
    with_key(in_folder(&mut command, folder), emulator);
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

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Waits until the server has `count` paid calls, all whole.
pub(crate) fn wait_for_calls(emulator: &Emulator, count: usize) {
    loop {
        let ledger = emulator.ledger();
        if ledger.len() >= count && ledger.iter().all(|entry| entry.arrived_whole) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[cfg(unix)]
pub(crate) mod signals {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use nix::sys::signal::{SigHandler, Signal, kill, signal};
    use nix::unistd::Pid;

    pub(crate) const ALL: [(Signal, i32); 3] = [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)];

    /// Lets a program start with these signals ignored, or not, whatever this process has inherited.
    #[allow(unsafe_code, reason = "a child's signals are set between fork and exec")]
    pub(crate) fn given(command: &mut Command, handler: SigHandler) -> &mut Command {
        let set = move || {
            for (number, _) in ALL {
                // SAFETY: no function of ours becomes a handler.
                unsafe { signal(number, handler) }?;
            }
            Ok(())
        };
        // SAFETY: sigaction is safe to call between fork and exec, and nothing else is done there.
        unsafe { command.pre_exec(set) }
    }

    pub(crate) fn send(child: &Child, signal: Signal) {
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Whether a process has a handler for a signal.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_heard(child: &Child, signal: Signal) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << (signal as i32 - 1)) != 0
    }
}
