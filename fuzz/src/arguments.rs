//! Command lines: whatever is typed, the command does not panic. Nothing is sent, and nobody waits.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Once;

static ELSEWHERE: Once = Once::new();

/// The bytes are arguments, separated by NUL.
pub fn arguments(data: &[u8]) {
    // Devices are real files too, and endless.
    let rooted = |argument: &&[u8]| argument.contains(&b'/') && !argument.starts_with(b"http");
    if data.split(|byte| *byte == 0).any(|argument| rooted(&argument)) {
        return;
    }
    ELSEWHERE.call_once(|| {
        let folder = tempfile::tempdir().unwrap().keep();
        std::fs::write(folder.join("p"), include_bytes!("../../tests/fixtures/rgba-4x4.png")).unwrap();
        std::env::set_current_dir(&folder).unwrap();
    });
    let arguments = data.split(|byte| *byte == 0).map(argument);
    let said = gptimage_cli::rehearse(std::iter::once("gptimage".into()).chain(arguments));
    assert!(!said.is_empty(), "it says something");
    assert!(Path::new("p").exists());
}

#[cfg(unix)]
fn argument(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn argument(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
