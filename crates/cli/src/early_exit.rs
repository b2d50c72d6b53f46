//! Commands that end before they have a result.

use gptimage_core::{Error, ErrorKind};

use crate::report::CommandResult;
use crate::signals::Signal;
use crate::write_images::save_fallback;

/// The reason why a command ends before, or without, a result from the library.
pub(crate) enum EarlyExit {
    Error(Box<Error>),
    /// A mistake in the arguments.
    Misused(String),
    /// A local stream, file or thread that cannot be used.
    Unusable(String),
    Signal(Signal),
}

impl From<Error> for EarlyExit {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<String> for EarlyExit {
    fn from(message: String) -> Self {
        Self::Misused(message)
    }
}

impl From<Signal> for EarlyExit {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

impl From<EarlyExit> for CommandResult {
    fn from(stop: EarlyExit) -> Self {
        match stop {
            EarlyExit::Misused(message) => Self::Refused(ErrorKind::InvalidRequest, message),
            EarlyExit::Unusable(message) => Self::Refused(ErrorKind::Io, message),
            EarlyExit::Signal(signal) => Self::Interrupted { signal, ids: Vec::new() },
            EarlyExit::Error(error) => Self::Failed { fallback: save_fallback(&error), error, signal: None },
        }
    }
}
