//! Picture files: their formats, their structure and how they are turned. Pixels are not decoded.

mod format;
mod orientation;
mod structure;

use std::io::{BufRead, Seek};

pub use format::ImageFormat;
pub use orientation::Orientation;
pub use structure::{Scan, Verified, verify, verify_bytes};

/// Width and height in pixels from the header, whichever of the three formats it is.
pub fn dimensions(content: impl BufRead + Seek) -> Option<(u32, u32)> {
    let size = imagesize::reader_size(content).ok()?;
    match (u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?) {
        (0, _) | (_, 0) => None,
        size => Some(size),
    }
}
