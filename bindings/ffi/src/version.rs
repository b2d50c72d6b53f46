//! Versions.

use std::ffi::c_char;

/// The version of the library that is loaded, such as "0.1.0"; GPTIMAGE_VERSION is the header's. Static: never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
