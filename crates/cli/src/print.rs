//! Printing: lines on standard output, messages on standard error.

use std::fmt::Display;
use std::io;
use std::path::Path;

use gptimage_core::{ErrorKind, printable};

use crate::exit_code::exit_code;
use crate::stdio;

/// Prints a line on standard error, with characters that could control the terminal escaped. Returns whether it was
/// written; a failure is otherwise ignored, because there is no other place to report it.
pub(crate) fn to_stderr(line: impl Display) -> bool {
    let line = printable(&line.to_string()) + "\n";
    stdio::write_all(&mut io::stderr(), line.as_bytes()).is_ok()
}

/// Prints a line on standard output and returns the exit code: `code`, or the one for [`ErrorKind::Io`] if `code` is 0 and
/// the line could not be written. A closed pipe is not a failure: the reader wanted no more. A line that was not written is
/// repeated on standard error, since it may name something that was paid for.
pub(crate) fn line(line: &str, code: u8) -> u8 {
    bytes(format!("{line}\n").as_bytes(), line, code)
}

/// Prints a path in the system's own bytes; otherwise like [`line`].
pub(crate) fn path(path: &Path, code: u8) -> u8 {
    let mut line = path.as_os_str().as_encoded_bytes().to_vec();
    line.push(b'\n');
    bytes(&line, &path.display().to_string(), code)
}

fn bytes(bytes: &[u8], shown: &str, code: u8) -> u8 {
    let Err(error) = stdio::write(bytes) else { return code };
    let reader_left = error.kind() == io::ErrorKind::BrokenPipe;
    if !reader_left {
        to_stderr(format_args!("gptimage: standard output cannot be written to: {error}"));
    }
    for line in shown.lines() {
        to_stderr(format_args!("gptimage: not printed: {line}"));
    }
    if code == 0 && !reader_left { exit_code(ErrorKind::Io) } else { code }
}

/// Prints a text that can be produced again at no cost, such as a completion script. Returns the exit code.
pub(crate) fn text(text: &str) -> u8 {
    match stdio::write(format!("{}\n", text.trim_end()).as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => stdout_failed(&error),
        _ => 0,
    }
}

/// Reports that standard output could not be written to. Returns the exit code.
pub(crate) fn stdout_failed(error: &io::Error) -> u8 {
    to_stderr(format_args!("gptimage: standard output cannot be written to: {error}"));
    exit_code(ErrorKind::Io)
}

/// Reports that the program could not start. Returns the exit code.
pub(crate) fn start_failed(error: &io::Error) -> u8 {
    to_stderr(format_args!("gptimage: {error}"));
    exit_code(ErrorKind::Internal)
}
