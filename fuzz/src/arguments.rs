//! Command lines: the command panics at none of them. Nothing is sent, and nothing is waited for.

use std::ffi::OsString;

use crate::trust;

/// What the argument `p` stands for.
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/rgba-4x4.png");

/// The bytes are arguments, separated by NUL.
pub fn arguments(data: &[u8]) {
    // Devices are real files too, and endless.
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
