//! Core's errors as Python's: which class, is said in `gptimage.exceptions`.

use gptimage_core::Error;
use pyo3::prelude::*;

use crate::to_dict::error_to_dict;

/// The exception that stands for a core error, ready to be raised.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    match make(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(broken) => broken,
    }
}

/// The exception as an object.
fn make<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    py.import("gptimage.exceptions")?.call_method1("_from_core", (error_to_dict(py, error)?,))
}

/// A result of core as one of Python.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| exception(py, &error))
    }
}
