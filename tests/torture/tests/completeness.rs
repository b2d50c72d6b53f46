//! Checks that each fault of `faults.toml` is injected by a test that exists, and that each threat of SECURITY.md is
//! covered by one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

mod threats;

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

/// Returns whether a source file defines the test `name`.
fn is_defined(path: &str, source: &str, name: &str) -> bool {
    match Path::new(path).extension().and_then(|extension| extension.to_str()) {
        Some("rs") => source.contains(&format!("fn {name}(")),
        Some("py") => source.contains(&format!("def {name}(")),
        // Tables name their cases.
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

/// Each threat of SECURITY.md is marked at an assertion in the tests that it names, and no test marks a threat that
/// does not name it.
#[test]
fn every_threat_is_looked_at_by_the_tests_that_it_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let threats = threats::read(&text);
    assert!(threats.len() > 35, "{} threats", threats.len());
    let mut named = BTreeSet::new();
    for (id, tests) in &threats {
        for test in tests {
            let marks = threats::marks_of(&root, id, test).unwrap_or_else(|wrong| panic!("{id}: {test}: {wrong}"));
            named.extend(marks);
        }
    }
    let wild: Vec<_> = threats::marks_below(&root).into_iter().filter(|mark| !named.contains(mark)).collect();
    assert!(wild.is_empty(), "SECURITY.md does not name these tests for these threats: {wild:#?}");
}

#[test]
fn what_only_looks_like_a_test_of_a_threat_is_none() {
    let good = "#[test]\nfn a() {\n    let b = 1;\n    // Threat: x\n    assert_eq!(b, 1);\n}\n";
    assert_eq!(threats::marks_in("a.rs", good, "x", "a").unwrap(), [4]);
    for (source, wrong) in [
        (good.replace("fn a", "fn b"), "defines it"),
        (good.replace("#[test]\n", ""), "not a test"),
        (good.replace("#[test]\n", "#[test]\n#[ignore]\n"), "not a test"),
        (good.replace("Threat: x", "Threat: y"), "says"),
        (good.replace("assert_eq!(b, 1)", "drop(b)"), "asserts"),
        (good.replace("    // Threat: x\n", "") + "// Threat: x\nconst C: u8 = 1;\n", "says"),
    ] {
        let error = threats::marks_in("a.rs", &source, "x", "a").unwrap_err();
        assert!(error.contains(wrong), "{error}: {source}");
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
