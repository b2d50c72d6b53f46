//! Making objects where there may be no memory for them.
#![allow(unsafe_code, reason = "pyo3 makes no MemoryError without memory")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::ffi;
use pyo3::prelude::*;

/// Makes objects. Without memory for them pyo3 panics, which is more than Python's programs expect: they get MemoryError.
pub(crate) fn catch_memory_error<T>(py: Python<'_>, make: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| {
        // SAFETY: we are attached; it sets an exception that Python has made beforehand.
        unsafe { ffi::PyErr_NoMemory() };
        Err(PyErr::fetch(py))
    })
}
