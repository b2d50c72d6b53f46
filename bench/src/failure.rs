//! Why a measurement stopped.

use std::error::Error;

/// Anything that stops a measurement.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;
