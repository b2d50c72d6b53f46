//! Creating Python objects when memory may be exhausted.
#![allow(unsafe_code, reason = "pyo3 makes no MemoryError without memory")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::ffi;
use pyo3::prelude::*;

/// Creates Python objects. Without memory PyO3 panics; this raises MemoryError instead, as Python programs expect.
pub(crate) fn catch_memory_error<T>(py: Python<'_>, make: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| {
        // SAFETY: attached; sets an exception that Python has allocated in advance.
        unsafe { ffi::PyErr_NoMemory() };
        Err(PyErr::fetch(py))
    })
}
