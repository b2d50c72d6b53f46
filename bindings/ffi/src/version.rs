//! The version of the library.

use std::ffi::c_char;

/// Returns the version of the loaded library, such as "0.1.0". GPTIMAGE_VERSION is the header's. Static: do not free.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
