//! The command's exit codes.

use gptimage_core::ErrorKind;

/// The exit code of a command that ends with an error of this kind: the kind's number, except where shells have a
/// convention of their own.
pub fn exit_code(kind: ErrorKind) -> u8 {
    const INTERNAL: u8 = 70;
    match kind {
        // 128 + SIGINT.
        ErrorKind::Cancelled => 130,
        // EX_SOFTWARE of sysexits.h.
        ErrorKind::Internal => INTERNAL,
        kind => u8::try_from(kind.number()).unwrap_or(INTERNAL),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_kind_has_the_exit_code_of_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/errors.toml");
        let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        let listed: Vec<_> = table["kind"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| (kind["slug"].as_str().unwrap(), kind["exit_code"].as_integer().unwrap()))
            .collect();
        let known: Vec<_> = ErrorKind::ALL.iter().map(|kind| (kind.as_str(), exit_code(*kind).into())).collect();
        assert_eq!(listed, known);
    }
}
