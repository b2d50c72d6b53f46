//! Each fault of `faults.toml` is injected by a test that exists.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    fault: Vec<Fault>,
    #[serde(default)]
    missing: Vec<Missing>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    name: String,
    tests: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Missing {
    name: String,
    why: String,
}

fn list() -> List {
    toml::from_str(include_str!("../faults.toml")).unwrap()
}

/// Whether a source file defines what a test is called.
fn is_defined(path: &str, source: &str, name: &str) -> bool {
    match Path::new(path).extension().and_then(|extension| extension.to_str()) {
        Some("rs") => source.contains(&format!("fn {name}(")),
        Some("py") => source.contains(&format!("def {name}(")),
        // Tables have names of their own.
        Some("toml") => source.contains(&format!("name = \"{name}\"")),
        _ => source.contains(&format!("{name}(")) || source.contains(&format!("\"{name}\"")),
    }
}

#[test]
fn every_fault_has_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for Fault { name, tests } in list().fault {
        assert!(!tests.is_empty(), "{name}: no test injects it");
        for test in tests {
            let (path, function) = test.split_once("::").unwrap_or_else(|| panic!("{name}: {test} is no path::name"));
            let source =
                std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{name}: {path}: {error}"));
            assert!(is_defined(path, &source, function), "{name}: {path} has no {function}");
        }
    }
}

/// What SECURITY.md names in backticks below a folder of this repository: a file, or a test in one.
#[test]
fn every_test_of_the_threat_list_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let named: Vec<_> = text.split('`').skip(1).step_by(2).filter(|name| name.contains('/')).collect();
    assert!(named.len() > 30, "{} tests", named.len());
    for name in named {
        let (path, function) = name.split_once("::").map_or((name, None), |(path, function)| (path, Some(function)));
        let source = std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(function.is_none_or(|function| is_defined(path, &source, function)), "{path} has no such test: {name}");
    }
    for row in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| threat")) {
        assert!(row.matches("`").count() >= 2, "a threat without a test: {row}");
    }
}

#[test]
fn every_fault_stands_once() {
    let list = list();
    let mut names = BTreeSet::new();
    for name in list.fault.iter().map(|fault| &fault.name).chain(list.missing.iter().map(|missing| &missing.name)) {
        assert!(names.insert(name), "{name} stands there twice");
    }
    assert!(list.missing.iter().all(|missing| !missing.why.is_empty()));
    assert!(names.len() > 80, "{} faults", names.len());
}
