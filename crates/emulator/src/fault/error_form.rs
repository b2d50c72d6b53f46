//! The forms of error bodies by name, and conversion of the emulator's own refusals to them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error_body::reason;
use super::{ErrorBody, Issue};

/// A form of [`ErrorBody`] without its contents.
///
/// ```
/// use gptimage_emulator::ErrorForm;
///
/// assert_eq!("openai".parse(), Ok(ErrorForm::OpenAi));
/// assert!("xml".parse::<ErrorForm>().unwrap_err().contains("documented"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorForm {
    /// The live form: [`ErrorBody::ProblemList`] for a 400, else [`ErrorBody::ProblemKind`].
    #[default]
    Problem,
    /// [`ErrorBody::Documented`].
    Documented,
    /// [`ErrorBody::Nest`].
    Nest,
    /// [`ErrorBody::OpenAi`].
    #[serde(rename = "openai")]
    OpenAi,
    /// [`ErrorBody::ErrorObject`], which comes with a 200.
    ErrorObject,
    /// [`ErrorBody::Html`].
    Html,
    /// [`ErrorBody::Empty`].
    Empty,
}

impl ErrorForm {
    /// Every form.
    pub const ALL: &[Self] =
        &[Self::Problem, Self::Documented, Self::Nest, Self::OpenAi, Self::ErrorObject, Self::Html, Self::Empty];

    /// The name that settings and faults know it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Documented => "documented",
            Self::Nest => "nest",
            Self::OpenAi => "openai",
            Self::ErrorObject => "error_object",
            Self::Html => "html",
            Self::Empty => "empty",
        }
    }

    /// Returns a body of this form that says no more than the status does.
    pub(crate) fn of_status(self, status: u16) -> ErrorBody {
        match self {
            Self::Problem => ErrorBody::of_status(status),
            _ => self.recast(status, ErrorBody::problem_kind(reason(status), format!("err_{status}"))).1,
        }
    }

    /// Converts a refusal to this form. Also returns the status that the form comes with.
    pub(crate) fn recast(self, status: u16, body: ErrorBody) -> (u16, ErrorBody) {
        let Some(contents) = ErrorContents::in_body(&body) else { return (status, body) };
        let recast = match self {
            Self::Problem => return (status, body),
            Self::Documented => ErrorBody::documented(contents.messages.join(" ")),
            Self::Nest => ErrorBody::Nest { messages: contents.messages, error: reason(status).to_owned() },
            Self::OpenAi => ErrorBody::OpenAi {
                message: contents.messages.join(" "),
                kind: if status < 500 { "invalid_request_error" } else { "server_error" }.to_owned(),
                param: contents.field,
                code: contents.code,
            },
            Self::ErrorObject => {
                return (200, ErrorBody::ErrorObject { message: contents.messages.join(" "), code: contents.code });
            }
            Self::Html => ErrorBody::Html,
            Self::Empty => ErrorBody::Empty,
        };
        (status, recast)
    }
}

impl FromStr for ErrorForm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.iter().map(|form| form.as_str()).collect::<Vec<_>>().join(", ");
        let found = Self::ALL.iter().copied().find(|form| form.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is not a form of error body: use one of {}", names()))
    }
}

impl fmt::Display for ErrorForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The contents of a body in the live form.
struct ErrorContents {
    /// One message for each issue, or a single message.
    messages: Vec<String>,
    field: Option<String>,
    code: Option<String>,
}

impl ErrorContents {
    fn in_body(body: &ErrorBody) -> Option<Self> {
        match body {
            ErrorBody::ProblemList { message, issues } if issues.is_empty() => {
                Some(Self { messages: vec![message.clone()], field: None, code: None })
            }
            ErrorBody::ProblemList { issues, .. } => Some(Self {
                messages: issues.iter().map(Issue::in_words).collect(),
                field: issues.first().map(Issue::field).filter(|field| !field.is_empty()),
                code: issues.first().map(|issue| issue.code.clone()),
            }),
            ErrorBody::ProblemKind { message, kind } => {
                Some(Self { messages: vec![message.clone()], field: None, code: Some(kind.clone()) })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_everywhere() {
        for form in ErrorForm::ALL {
            assert_eq!(form.as_str().parse(), Ok(*form));
            assert_eq!(serde_json::to_value(form).unwrap(), form.as_str());
        }
    }

    #[test]
    fn a_refusal_keeps_what_it_says() {
        let refusal = ErrorBody::problem_list("Invalid payload", vec![Issue::at("too_big", "image", 2, "Too large.")]);
        assert_eq!(ErrorForm::Problem.recast(400, refusal.clone()), (400, refusal.clone()));
        let nest = ErrorBody::nest("image[2]: Too large.", "Bad Request");
        assert_eq!(ErrorForm::Nest.recast(400, refusal.clone()), (400, nest));
        let (status, ErrorBody::OpenAi { message, param, code, .. }) = ErrorForm::OpenAi.recast(400, refusal.clone())
        else {
            panic!("OpenAI's form")
        };
        assert_eq!((status, message.as_str()), (400, "image[2]: Too large."));
        assert_eq!((param.as_deref(), code.as_deref()), (Some("image[2]"), Some("too_big")));
        assert_eq!(ErrorForm::ErrorObject.recast(400, refusal).0, 200);
    }
}
