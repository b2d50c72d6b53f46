//! The threats that SECURITY.md names and the tests that mark them: `Threat: <id>` in a comment, right before an
//! assertion.

use std::path::Path;

/// A file and the line in it at which a test marks a threat.
pub(crate) type Mark = (String, usize);

const FOLDERS: [&str; 4] = ["crates", "bindings", "tests", "fuzz"];
const LANGUAGES: [&str; 5] = ["rs", "py", "c", "h", "cpp"];

/// Texts that identify an assertion, in any of the languages. `judge` compares with the ledger.
const ASSERTIONS: [&str; 7] = ["assert", "panic!(", "judge(", "CHECK", "check_", "report.line(", "mismatches.report("];

/// Reads the ids in a table's rows and the tests that they name.
pub(crate) fn read(text: &str) -> Vec<(String, Vec<String>)> {
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id "));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [id, _threat, _defence, tests] = cells[..] else { panic!("not four cells: {row}") };
        let tests: Vec<_> = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert!(!tests.is_empty(), "a threat without a test: {row}");
        (id.to_owned(), tests)
    })
    .collect()
}

/// Finds the marks for a threat in the test `path::function`.
pub(crate) fn marks_of(root: &Path, id: &str, test: &str) -> Result<Vec<Mark>, String> {
    let (path, function) = test.split_once("::").ok_or("not a path::name")?;
    let source = std::fs::read_to_string(root.join(path)).map_err(|error| error.to_string())?;
    if !path.ends_with(".rs") && !is_called(&root.join(path), function) {
        return Err("not run by anything beside it".to_owned());
    }
    let lines = marks_in(path, &source, id, function)?;
    Ok(lines.into_iter().map(|line| (path.to_owned(), line)).collect())
}

/// Returns the line numbers, from 1, at which a test function marks a threat.
pub(crate) fn marks_in(path: &str, source: &str, id: &str, function: &str) -> Result<Vec<usize>, String> {
    let lines: Vec<_> = source.lines().collect();
    let (first, last) = body_of(&lines, function).ok_or("nothing there defines it")?;
    let attributes = || lines[..first].iter().rev().map(|line| line.trim()).take_while(|line| line.starts_with("#["));
    let is_test = attributes().any(|line| line.contains("test]") || line.contains("test("));
    if path.ends_with(".rs") && (!is_test || attributes().any(|line| line.starts_with("#[ignore"))) {
        return Err("not a test that is run".to_owned());
    }
    let marks: Vec<_> = (first..last).filter(|&line| threat_of(lines[line]) == Some(id)).collect();
    if marks.is_empty() {
        return Err("no line of it says so".to_owned());
    }
    for &mark in &marks {
        let statement = lines[mark + 1..last.min(mark + 5)].join("\n");
        if !asserts(&lines, &statement) {
            return Err(format!("nothing after line {} asserts anything: {statement}", mark + 1));
        }
    }
    Ok(marks.into_iter().map(|line| line + 1).collect())
}

/// Returns whether a function of a C or Python program is used outside its definition: in its file, in its folder or
/// one folder up.
fn is_called(path: &Path, function: &str) -> bool {
    let folders = path.ancestors().skip(1).take(2);
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let sources = files.filter_map(|file| std::fs::read_to_string(file).ok());
    let is_named =
        |line: &str| line.split(|char: char| !char.is_alphanumeric() && char != '_').any(|word| word == function);
    let lines = sources.map(|source| source.lines().filter(|line| is_named(line)).count());
    lines.sum::<usize>() > 1
}

/// Finds all marks in tests and sources.
pub(crate) fn marks_below(root: &Path) -> Vec<Mark> {
    let mut folders: Vec<_> = FOLDERS.map(|folder| root.join(folder)).into();
    let mut marks = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let is_source =
                path.extension().and_then(|extension| extension.to_str()).is_some_and(|name| LANGUAGES.contains(&name));
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if is_source {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                let source = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                let lines = source.lines().enumerate().filter(|(_, line)| threat_of(line).is_some());
                marks.extend(lines.map(|(number, _)| (name.clone(), number + 1)));
            }
        }
    }
    marks
}

/// Returns the id if the line is a threat mark and nothing else.
fn threat_of(line: &str) -> Option<&str> {
    let comment = ["// ", "# ", "/* "].iter().find_map(|start| line.trim().strip_prefix(start))?;
    Some(comment.trim_end_matches(" */").strip_prefix("Threat: ")?.trim())
}

/// Returns the first and last line of a function.
fn body_of(lines: &[&str], function: &str) -> Option<(usize, usize)> {
    let defines = |line: &&str| {
        let begins = ["fn ", "def ", "static "].iter().any(|word| line.contains(word));
        begins && !line.trim_end().ends_with(';') && {
            let name = line.split('(').next().unwrap_or_default();
            name.rsplit([' ', '*']).next() == Some(function)
        }
    };
    let first = lines.iter().position(defines)?;
    let indent = lines[first].len() - lines[first].trim_start().len();
    let is_python = lines[first].contains("def ");
    let ends = |line: &&str| {
        let own = line.len() - line.trim_start().len();
        if is_python {
            !line.trim().is_empty() && own <= indent && !line.trim().starts_with(')')
        } else {
            own == indent && line.trim() == "}"
        }
    };
    let last = lines[first + 1..].iter().position(ends).map_or(lines.len(), |offset| first + 1 + offset);
    Some((first, last))
}

/// Returns whether a statement asserts something, by itself or by calling a function of the same file that does.
fn asserts(lines: &[&str], statement: &str) -> bool {
    let is_assertion = |text: &str| ASSERTIONS.iter().any(|assertion| text.contains(assertion));
    let called = statement.split(|char: char| !char.is_alphanumeric() && char != '_');
    is_assertion(statement)
        || called
            .filter(|name| !name.is_empty())
            .any(|name| body_of(lines, name).is_some_and(|(first, last)| is_assertion(&lines[first..last].join("\n"))))
}
