//! Conversion of core's errors to exceptions; `gptimage.exceptions` chooses the class.

use gptimage_core::Error;
use pyo3::prelude::*;

use crate::to_dict::error_to_dict;

/// Converts an error to an exception to raise.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    match make(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(broken) => broken,
    }
}

/// Creates the exception object.
fn make<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    py.import("gptimage.exceptions")?.call_method1("_from_core", (error_to_dict(py, error)?,))
}

/// Conversion of core's results to PyO3's.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error))
    }
}
