//! What a test in Rust has nothing to try with: said, and counted at the end of `make test`.

use std::io::Write;

/// Says that a test is skipped, on stderr and in the list that `make test` shows at its end.
pub(crate) fn skipped(test: &str, why: &str) {
    let line = format!("{test}: {why}\n");
    let list = concat!(env!("CARGO_TARGET_TMPDIR"), "/skipped.txt");
    std::fs::OpenOptions::new().append(true).create(true).open(list).unwrap().write_all(line.as_bytes()).unwrap();
    // Around what the harness hides of tests that pass.
    std::io::stderr().write_all(format!("skipped  {line}").as_bytes()).unwrap();
}
