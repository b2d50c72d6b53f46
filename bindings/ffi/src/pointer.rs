//! Conversions between C pointers and Rust values: the only place that dereferences them.

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

use crate::ffi_error::FfiError;

/// Checks that a pointer is not NULL.
pub(crate) fn required<T>(pointer: Option<T>, name: &str) -> Result<T, FfiError> {
    pointer.ok_or_else(|| FfiError::argument(name, "is NULL"))
}

/// Reads a UTF-8 text.
pub(crate) fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, FfiError> {
    if pointer.is_null() {
        return Err(FfiError::argument(name, "is NULL"));
    }
    // SAFETY: not null; the header requires of every `const char *` that it ends with a NUL and lives as long as the call. The
    // result does not outlive the call.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|_| FfiError::argument(name, "is not UTF-8"))
}

/// Reads a path, in the system's own bytes.
pub(crate) fn path(pointer: *const c_char, name: &str) -> Result<PathBuf, FfiError> {
    #[cfg(unix)]
    if !pointer.is_null() {
        use std::os::unix::ffi::OsStrExt;
        // SAFETY: as in `text`.
        let bytes = unsafe { CStr::from_ptr(pointer) }.to_bytes();
        return Ok(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)));
    }
    text(pointer, name).map(PathBuf::from)
}

/// Copies bytes. NULL with length 0 is an empty array, as in empty C++ containers.
pub(crate) fn bytes(pointer: *const u8, len: usize, name: &str) -> Result<Vec<u8>, FfiError> {
    match (pointer.is_null(), len) {
        (_, 0) => Ok(Vec::new()),
        (true, _) => Err(FfiError::argument(name, "is NULL")),
        (false, len) if isize::try_from(len).is_err() => Err(FfiError::argument(name, "is longer than memory can be")),
        // SAFETY: not null, and no longer than an object can be; the header requires that `len` bytes can be read.
        (false, len) => Ok(unsafe { std::slice::from_raw_parts(pointer, len) }.to_vec()),
    }
}

/// Gives an object to the host, which frees it with the `_free` function of its type.
pub(crate) fn hand_over<T>(out: &mut MaybeUninit<*mut T>, object: T) {
    out.write(Box::into_raw(Box::new(object)));
}

/// Converts a text, without the NULs that C cannot represent.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

/// Converts a path, in the system's own bytes.
pub(crate) fn c_path(path: &Path) -> CString {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        // The path of an open file contains no NUL.
        CString::new(path.as_os_str().as_bytes()).unwrap_or_default()
    }
    #[cfg(not(unix))]
    c_string(&path.to_string_lossy())
}

/// Returns the pointer to a text that stays with its owner. NULL for `None`.
pub(crate) fn borrowed(text: Option<&CString>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}
