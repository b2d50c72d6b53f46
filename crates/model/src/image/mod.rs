//! Image files: their formats, structure and orientation. Pixels are not decoded.

mod format;
mod orientation;
mod structure;

use std::io::{BufRead, Seek};

pub use format::ImageFormat;
#[doc(hidden)]
pub use orientation::Orientation;
#[doc(hidden)]
pub use structure::{Scan, Verified, VerifyError, verify, verify_bytes};

/// Reads width and height in pixels from the header of a PNG, JPEG or WebP. `None` if they cannot be read or one is 0.
#[doc(hidden)]
pub fn dimensions(content: impl BufRead + Seek) -> Option<(u32, u32)> {
    let size = imagesize::reader_size(content).ok()?;
    match (u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?) {
        (0, _) | (_, 0) => None,
        size => Some(size),
    }
}
