//! Reference counts.
#![allow(unsafe_code, reason = "pyo3 leaves counting references to its ffi")]

use pyo3::ffi;
use pyo3::prelude::*;

/// Returns whether this is the only reference to the object.
pub(crate) fn is_only(object: &Py<PyAny>, _py: Python<'_>) -> bool {
    // SAFETY: a live object, and we are attached.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) == 1 }
}
