//! Paths, header names, field names and bodies of the calls.

mod body;
#[doc(hidden)]
pub mod header;
mod names;

pub use body::{Body, BodyPart};
#[doc(hidden)]
pub use names::{BALANCE_PATH, IMAGE, IMAGES, LOGS_PATH, MASK};

use crate::request::Operation;

/// Returns the path of an operation, relative to the base URL.
#[doc(hidden)]
pub const fn path(operation: Operation) -> &'static str {
    match operation {
        Operation::Generate => "images/generations",
        Operation::Edit => "images/edits",
    }
}

/// Returns the name of the images' form field. It ends in `[]` for several images, because OpenAI rejects a repeated
/// plain `image` as a duplicate.
#[doc(hidden)]
pub const fn image_field(count: usize) -> &'static str {
    if count == 1 { IMAGE } else { IMAGES }
}
