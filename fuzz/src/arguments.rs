//! Command lines: the command must not panic on any of them. Nothing is sent or waited for.

use std::ffi::OsString;

use crate::trust;

/// The file that the argument `p` is replaced with.
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/rgba-4x4.png");

/// Runs the command with the bytes as its arguments, separated by NUL.
pub fn arguments(data: &[u8]) {
    // Absolute paths could name devices, which may be endless.
    let rooted = |argument: &&[u8]| argument.contains(&b'/') && !argument.starts_with(b"http");
    if data.split(|byte| *byte == 0).any(|argument| rooted(&argument)) {
        return;
    }
    trust::little();
    let arguments =
        data.split(|byte| *byte == 0).map(|bytes| if bytes == b"p" { PICTURE.into() } else { argument(bytes) });
    let said = gptimage_cli::preview(std::iter::once("gptimage".into()).chain(arguments));
    assert!(!said.is_empty(), "it says something");
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
