//! Paths, field names and bodies of the calls that cost money.

mod body;

pub use body::{Body, BodyPart};

use crate::request::Operation;

/// Returns the path of an operation, relative to the base URL.
pub const fn path(operation: Operation) -> &'static str {
    match operation {
        Operation::Generate => "images/generations",
        Operation::Edit => "images/edits",
    }
}

/// The name of the mask's form field.
pub const MASK: &str = "mask";

/// Returns the name of the images' form field. It ends in `[]` for several images, because OpenAI rejects a repeated
/// plain `image` as a duplicate.
pub const fn image_field(count: usize) -> &'static str {
    if count == 1 { "image" } else { "image[]" }
}
