//! The errors of the C library's functions.

use gptimage_core::{Charge, Error};
use serde_json::json;

use crate::status::{
    self, GPTIMAGE_STATUS_CANCELLED, GPTIMAGE_STATUS_CONFIG, GPTIMAGE_STATUS_INTERNAL,
    GPTIMAGE_STATUS_INVALID_ARGUMENT, GPTIMAGE_STATUS_PENDING, gptimage_status_t,
};

/// A failure of core, or of the binding itself.
#[derive(Debug, Clone)]
pub(crate) enum FfiError {
    Core(Error),
    /// A failure of the binding itself.
    Binding {
        status: gptimage_status_t,
        message: String,
        charge: Charge,
    },
}

impl From<Error> for FfiError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl FfiError {
    fn own(status: gptimage_status_t, message: impl Into<String>) -> Self {
        Self::Binding { status, message: message.into(), charge: Charge::NotCharged }
    }

    pub(crate) fn argument(name: &str, what: &str) -> Self {
        Self::own(GPTIMAGE_STATUS_INVALID_ARGUMENT, format!("{name} {what}"))
    }

    pub(crate) fn cancelled() -> Self {
        Self::own(GPTIMAGE_STATUS_CANCELLED, "cancelled before the request was sent; nothing was charged")
    }

    pub(crate) fn pending() -> Self {
        Self::own(GPTIMAGE_STATUS_PENDING, "the job has not ended yet")
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::own(GPTIMAGE_STATUS_CONFIG, message)
    }

    pub(crate) fn panicked() -> Self {
        let message = "a bug in gptimage: a function of the library failed unexpectedly";
        Self::Binding { status: GPTIMAGE_STATUS_INTERNAL, message: message.to_owned(), charge: Charge::Unknown }
    }

    pub(crate) fn lost() -> Self {
        let message = "a bug in gptimage: a call ended without a result; it may be charged";
        Self::Binding { status: GPTIMAGE_STATUS_INTERNAL, message: message.to_owned(), charge: Charge::Unknown }
    }

    pub(crate) fn status(&self) -> gptimage_status_t {
        match self {
            Self::Core(error) => error.kind().number(),
            Self::Binding { status, .. } => *status,
        }
    }

    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Core(error) => error.message(),
            Self::Binding { message, .. } => message,
        }
    }

    pub(crate) fn charge(&self) -> Charge {
        match self {
            Self::Core(error) => error.charge(),
            Self::Binding { charge, .. } => *charge,
        }
    }

    pub(crate) fn json(&self) -> String {
        let json = match self {
            Self::Core(error) => serde_json::to_string(error).ok(),
            Self::Binding { status, message, charge } => {
                let kind = status::name(*status).to_str().unwrap_or_default();
                Some(json!({"kind": kind, "number": status, "charge": charge, "message": message}).to_string())
            }
        };
        json.unwrap_or_default()
    }

    pub(crate) fn core(&self) -> Option<&Error> {
        match self {
            Self::Core(error) => Some(error),
            Self::Binding { .. } => None,
        }
    }
}
