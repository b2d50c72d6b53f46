//! Errors of reading a fault or a setting.

use std::fmt;

/// Why JSON does not describe a fault or a setting: the field and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    pub(crate) field: String,
    pub(crate) message: String,
}

impl ParseError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// A value that is not of its type, at its place below `root`.
    pub(crate) fn at(root: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let path = error.path().to_string();
        let field = match (root, path.as_str()) {
            ("", ".") => "body".to_owned(),
            ("", path) => path.to_owned(),
            (root, ".") => root.to_owned(),
            (root, path) => format!("{root}.{path}"),
        };
        Self::new(field, in_json_words(&error.inner().to_string()))
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// The reader's own names for types, as JSON calls them.
fn in_json_words(message: &str) -> String {
    let names = [("u16", "a whole number"), ("u32", "a whole number"), ("u64", "a whole number")];
    let names = names.into_iter().chain([("a sequence", "a list"), ("a map", "an object"), ("a string", "a text")]);
    names.fold(message.to_owned(), |message, (reader, json)| {
        message.replace(&format!("expected {reader}"), &format!("expected {json}"))
    })
}
