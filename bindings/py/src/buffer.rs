//! Python's buffer protocol: access to an image's bytes without a copy.
#![allow(unsafe_code, reason = "the buffer protocol is a contract about pointers")]

use std::os::raw::c_int;

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Fills `view` with bytes that live as long as `owner` does.
///
/// # Safety
/// `view` is null or points to a `Py_buffer` that the caller lets us write.
pub(crate) unsafe fn fill_buffer(
    owner: &Bound<'_, PyAny>,
    bytes: &[u8],
    view: *mut ffi::Py_buffer,
    flags: c_int,
) -> PyResult<()> {
    if view.is_null() {
        return Err(PyBufferError::new_err("a view is needed"));
    }
    let length = isize::try_from(bytes.len()).map_err(|_| PyBufferError::new_err("too long"))?;
    // SAFETY: `view` is valid by contract; the call makes it hold a reference to `owner`, which is frozen and keeps
    // `bytes`; readers cannot write through it, for it is marked read-only.
    let failed =
        unsafe { ffi::PyBuffer_FillInfo(view, owner.as_ptr(), bytes.as_ptr().cast_mut().cast(), length, 1, flags) };
    if failed == 0 { Ok(()) } else { Err(PyErr::fetch(owner.py())) }
}

/// Like [`fill_buffer`], with the bytes of a `bytes` object.
///
/// # Safety
/// The same as for [`fill_buffer`].
pub(crate) unsafe fn fill_buffer_from_bytes(
    bytes: &Bound<'_, PyBytes>,
    view: *mut ffi::Py_buffer,
    flags: c_int,
) -> PyResult<()> {
    // SAFETY: the same contract; a `bytes` object never changes.
    unsafe { fill_buffer(bytes.as_any(), bytes.as_bytes(), view, flags) }
}
