//! The error type of measurements.

use std::error::Error;

/// Any error that stops a measurement.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;
