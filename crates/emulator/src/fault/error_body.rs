//! Bodies of failures, in every form that the gateway and the proxies before it were seen to send.

use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::AnswerContext;
use crate::clock::iso8601;

/// The body of a failure.
///
/// ```
/// use gptimage_emulator::ErrorBody;
/// let refused = ErrorBody::openai("Your request was rejected by the safety system.", "image_generation_user_error",
///     "moderation_blocked");
/// # let _ = refused;
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ErrorBody {
    /// The live form of a 400: `application/problem+json` with a list of issues in `error.data`.
    ProblemList {
        /// Stands in `message` and `error.message`.
        message: String,
        /// `error.data`.
        issues: Vec<Issue>,
    },
    /// The live form of every other failure: `application/problem+json` with an object in `error.data`.
    ProblemKind {
        /// Stands in `message` and `error.message`.
        message: String,
        /// `error.data.kind`.
        kind: String,
    },
    /// The documented form: `{message, path, requestId, statusCode: "429", timestamp}`, the status as text.
    Documented {
        /// `message`.
        message: String,
    },
    /// `{statusCode, message, error}`: `message` is text for one entry, else a list.
    Nest {
        /// `message`.
        messages: Vec<String>,
        /// `error`.
        error: String,
    },
    /// OpenAI's `{error: {message, type, param, code}}`.
    #[serde(rename = "openai")]
    OpenAi {
        /// `error.message`.
        message: String,
        /// `error.type`.
        #[serde(rename = "type")]
        kind: String,
        /// `error.param`.
        param: Option<String>,
        /// `error.code`.
        code: Option<String>,
    },
    /// `{error: {…}}` as it comes with a 2xx.
    ErrorObject {
        /// `error.message`.
        message: String,
        /// `error.code`.
        code: Option<String>,
    },
    /// A proxy's page.
    Html,
    /// Nothing at all.
    Empty,
}

/// One entry of a [`ErrorBody::ProblemList`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// What kind of rule was broken, such as `invalid_value`.
    pub code: String,
    /// Where: field names and list positions.
    pub path: Vec<PathItem>,
    /// What is wrong, in words.
    pub message: String,
}

/// A step of an [`Issue`]'s path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a field's name or a position in a list")]
pub enum PathItem {
    /// A field's name.
    Field(String),
    /// A position in a list, from 0.
    Index(u64),
}

impl Issue {
    /// An issue with one field.
    pub fn new(code: &str, field: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), path: vec![PathItem::Field(field.to_owned())], message: message.into() }
    }

    /// An issue with one entry of a field that is a list.
    pub fn at(code: &str, field: &str, index: usize, message: impl Into<String>) -> Self {
        let mut issue = Self::new(code, field, message);
        issue.path.push(PathItem::Index(index as u64));
        issue
    }

    /// Formats the path as one word, such as `image[2]`.
    pub(crate) fn field(&self) -> String {
        let mut field = String::new();
        for item in &self.path {
            match item {
                PathItem::Field(name) if field.is_empty() => field.push_str(name),
                PathItem::Field(name) => field.push_str(&format!(".{name}")),
                PathItem::Index(index) => field.push_str(&format!("[{index}]")),
            }
        }
        field
    }

    /// Formats the issue as text, such as `image[2]: Too large.`.
    pub(crate) fn in_words(&self) -> String {
        let field = self.field();
        if field.is_empty() { self.message.clone() } else { format!("{field}: {}", self.message) }
    }
}

impl ErrorBody {
    /// [`ErrorBody::ProblemList`].
    pub fn problem_list(message: impl Into<String>, issues: Vec<Issue>) -> Self {
        Self::ProblemList { message: message.into(), issues }
    }

    /// [`ErrorBody::ProblemKind`].
    pub fn problem_kind(message: impl Into<String>, kind: impl Into<String>) -> Self {
        Self::ProblemKind { message: message.into(), kind: kind.into() }
    }

    /// [`ErrorBody::Documented`].
    pub fn documented(message: impl Into<String>) -> Self {
        Self::Documented { message: message.into() }
    }

    /// [`ErrorBody::Nest`] with one message as text.
    pub fn nest(message: impl Into<String>, error: impl Into<String>) -> Self {
        Self::Nest { messages: vec![message.into()], error: error.into() }
    }

    /// [`ErrorBody::OpenAi`] without `param`.
    pub fn openai(message: impl Into<String>, kind: impl Into<String>, code: impl Into<String>) -> Self {
        Self::OpenAi { message: message.into(), kind: kind.into(), param: None, code: Some(code.into()) }
    }

    /// [`ErrorBody::ErrorObject`] without `code`.
    pub fn error_object(message: impl Into<String>) -> Self {
        Self::ErrorObject { message: message.into(), code: None }
    }

    /// Returns the gateway's own body for this status, in the live form.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            400 => Self::problem_list("Invalid payload provided", Vec::new()),
            200..=299 => Self::error_object("The generation failed"),
            _ => Self::problem_kind(reason(status), format!("err_{status}")),
        }
    }

    /// Returns whether the gateway itself writes this form; the others come from proxies in front of it.
    pub(crate) fn is_gateways(&self) -> bool {
        !matches!(self, Self::Html | Self::Empty)
    }

    /// Returns the content type and the bytes.
    pub(crate) fn render(&self, status: u16, context: &AnswerContext<'_>) -> (Option<&'static str>, Bytes) {
        const PROBLEM: Option<&str> = Some("application/problem+json; charset=utf-8");
        const JSON: Option<&str> = Some("application/json; charset=utf-8");
        let timestamp = iso8601(SystemTime::now());
        let problem = |message: &str, data: serde_json::Value| {
            json!({
                "title": reason(status), "status": status, "message": message, "instance": context.path,
                "requestId": context.request_id, "timestamp": timestamp,
                "error": {"name": error_name(status), "message": message, "data": data},
            })
        };
        let (content_type, value) = match self {
            Self::ProblemList { message, issues } => (PROBLEM, problem(message, json!(issues))),
            Self::ProblemKind { message, kind } => (PROBLEM, problem(message, json!({"kind": kind}))),
            Self::Documented { message } => (
                JSON,
                json!({
                    "message": message, "path": context.path, "requestId": context.request_id,
                    "statusCode": status.to_string(), "timestamp": timestamp,
                }),
            ),
            Self::Nest { messages, error } => {
                let message = match messages.as_slice() {
                    [one] => json!(one),
                    many => json!(many),
                };
                (JSON, json!({"statusCode": status, "message": message, "error": error}))
            }
            Self::OpenAi { message, kind, param, code } => {
                (JSON, json!({"error": {"message": message, "type": kind, "param": param, "code": code}}))
            }
            Self::ErrorObject { message, code } => (JSON, json!({"error": {"message": message, "code": code}})),
            Self::Html => return (Some("text/html"), html_page(status)),
            Self::Empty => return (None, Bytes::new()),
        };
        (content_type, Bytes::from(value.to_string()))
    }
}

/// Returns an HTML error page as proxies write it.
pub(crate) fn html_page(status: u16) -> Bytes {
    let title = format!("{status} {}", reason(status));
    Bytes::from(format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    ))
}

pub(crate) fn reason(status: u16) -> &'static str {
    hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Unknown Error")
}

/// Returns an error's name in the gateway's framework: `BadRequestException` for `Bad Request`.
fn error_name(status: u16) -> String {
    let name: String = reason(status).chars().filter(char::is_ascii_alphabetic).collect();
    format!("{name}Exception")
}
