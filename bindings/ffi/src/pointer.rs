//! C's pointers as values that can be trusted: the only place that follows them.

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

use crate::ffi_error::FfiError;

/// A required pointer.
pub(crate) fn required<T>(pointer: Option<T>, name: &str) -> Result<T, FfiError> {
    pointer.ok_or_else(|| FfiError::argument(name, "is NULL"))
}

/// A required text in UTF-8.
pub(crate) fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, FfiError> {
    if pointer.is_null() {
        return Err(FfiError::argument(name, "is NULL"));
    }
    // SAFETY: not null; that a NUL ends it, and that it lives as long as the call, is the contract of every `const char *`
    // in the header. Nothing made of it outlives the call.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|_| FfiError::argument(name, "is not UTF-8"))
}

/// A required path, in the bytes that the system uses.
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

/// Required bytes; `NULL` with no length is none: so do empty containers of C++ show theirs.
pub(crate) fn bytes(pointer: *const u8, len: usize, name: &str) -> Result<Vec<u8>, FfiError> {
    match (pointer.is_null(), len) {
        (_, 0) => Ok(Vec::new()),
        (true, _) => Err(FfiError::argument(name, "is NULL")),
        (false, len) if isize::try_from(len).is_err() => Err(FfiError::argument(name, "is longer than memory can be")),
        // SAFETY: not null, and no longer than an object can be; that so many bytes can be read is the header's contract.
        (false, len) => Ok(unsafe { std::slice::from_raw_parts(pointer, len) }.to_vec()),
    }
}

/// Hands an object over to the host, which frees it with the function of its kind.
pub(crate) fn hand_over<T>(out: &mut MaybeUninit<*mut T>, object: T) {
    out.write(Box::into_raw(Box::new(object)));
}

/// A text for C: what cannot be in one is left out.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

/// A path for C, in the bytes that the system has.
pub(crate) fn c_path(path: &Path) -> CString {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        // No path that a file was opened at holds a NUL.
        CString::new(path.as_os_str().as_bytes()).unwrap_or_default()
    }
    #[cfg(not(unix))]
    c_string(&path.to_string_lossy())
}

/// A text that lives as long as its owner, or NULL.
pub(crate) fn borrowed(text: Option<&CString>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}
