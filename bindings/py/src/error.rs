//! Core's errors as Python's: which class, is said in `gptimage.exceptions`.

use std::io;

use gptimage_core::Error;
use pyo3::prelude::*;

use crate::convert::to_python;
use crate::image::Image;

/// A bug of ours.
pub(crate) fn internal(py: Python<'_>, error: &dyn std::fmt::Display) -> PyErr {
    let text = format!("a bug in gptimage: {error}");
    let class = py.import("gptimage.exceptions").and_then(|module| module.getattr("InternalError"));
    match class.and_then(|class| class.call1((text,))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(broken) => broken,
    }
}

/// The exception that stands for a core error, ready to be raised.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    match make(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(broken) => broken,
    }
}

/// The exception as an object.
pub(crate) fn make<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let facts = to_python(py, error)?;
    facts.set_item("response_body", error.response_body())?;
    let generated = error.generated().map(|generated| crate::call::generated(py, generated)).transpose()?;
    facts.set_item("generated", generated)?;
    let cause = error.cause();
    let system = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
    let number = system.and_then(io::Error::raw_os_error);
    let name = system.and_then(|system| errno_name(system.kind()));
    let system = match (number, name) {
        (None, Some(name)) => Some(py.import("errno")?.getattr(name)?.extract()?),
        _ => number,
    };
    let cause = match (number, cause) {
        // Its text has the number in it, in Rust's words.
        (Some(number), _) => Some(py.import("os")?.call_method1("strerror", (number,))?.extract()?),
        (None, cause) => cause.map(|cause| cause.to_string()),
    };
    py.import("gptimage.exceptions")?.call_method1("_from_core", (facts, cause, system))
}

/// The name in Python's `errno` of what the library itself has found, without the system's saying so.
fn errno_name(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::AlreadyExists => Some("EEXIST"),
        io::ErrorKind::NotFound => Some("ENOENT"),
        io::ErrorKind::PermissionDenied => Some("EACCES"),
        io::ErrorKind::InvalidInput => Some("EINVAL"),
        _ => None,
    }
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

/// Every picture as an object.
pub(crate) fn images(images: &[gptimage_core::Image]) -> Vec<Image> {
    images.iter().cloned().map(Image::new).collect()
}
