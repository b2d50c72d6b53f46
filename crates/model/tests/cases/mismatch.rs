//! What a failing case shows: its name, what was expected, what came.

use std::fmt::{Debug, Display, Write};
use std::path::PathBuf;

/// Longest side of a comparison that is shown whole, in characters.
const SHOWN_MAX: usize = 4000;

/// Everything that is not as a case says.
#[derive(Default)]
pub(crate) struct Mismatches {
    text: String,
    cases: Vec<String>,
}

impl Mismatches {
    /// Notes the failures of one case.
    pub(crate) fn add(&mut self, case: &str, failures: Vec<String>) {
        if !failures.is_empty() {
            let _ = write!(self.text, "\n\n■ {case}");
            for failure in failures {
                let _ = write!(self.text, "\n{failure}");
            }
            self.cases.push(case.to_owned());
        }
    }

    /// Fails the test if any case failed.
    pub(crate) fn report(self, run: usize) {
        let failed = self.cases.len();
        assert!(failed == 0, "{failed} of {run} cases failed{}\n", self.text);
    }
}

/// `None` if both are equal.
pub(crate) fn differ<T: PartialEq + Debug>(what: &str, expected: &T, got: &T) -> Option<String> {
    (expected != got).then(|| {
        format!("  {what}\n    expected {}\n    got      {}", shown(format!("{expected:?}")), shown(format!("{got:?}")))
    })
}

/// As [`differ`], of bytes that are mostly text.
pub(crate) fn bytes_differ(what: &str, expected: &[u8], got: &[u8]) -> Option<String> {
    if expected == got {
        return None;
    }
    let at = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
    let show = |bytes: &[u8]| shown(String::from_utf8_lossy(bytes).escape_debug().to_string());
    Some(format!(
        "  {what}: differs from byte {at} on\n    expected {} bytes {}\n    got      {} bytes {}",
        expected.len(),
        show(expected),
        got.len(),
        show(got)
    ))
}

/// `None` if `text` has `part` in it.
pub(crate) fn lacks(what: &str, text: &str, part: &str) -> Option<String> {
    (!text.contains(part)).then(|| format!("  {what}\n    expected …{part}…\n    got      {}", shown(text.to_owned())))
}

/// `None` if the text is one line that a terminal shows as it is.
pub(crate) fn not_one_printable_line(what: &str, text: &(impl Display + ?Sized)) -> Option<String> {
    let text = text.to_string();
    let hidden = |char: char| {
        char.is_control() || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    let failed = text.is_empty() || text.chars().any(hidden) || text.chars().count() > 2000;
    failed.then(|| {
        format!("  {what}\n    expected one short printable line\n    got      {}", shown(format!("{text:?}")))
    })
}

fn shown(text: String) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
        None => text,
    }
}

/// A file or folder below the shared `tests`.
pub(crate) fn shared(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests")).join(path)
}

/// A fixture's bytes.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = shared("fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads a file of cases.
pub(crate) fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = shared("cases").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
