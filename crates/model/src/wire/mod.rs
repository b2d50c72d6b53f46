//! Paths, field names and bodies of the paid calls.

mod body;

pub use body::{Body, Content};

use crate::request::Operation;

/// The path of an operation, below the base URL.
pub const fn path(operation: Operation) -> &'static str {
    match operation {
        Operation::Generate => "images/generations",
        Operation::Edit => "images/edits",
    }
}

/// The form field of the mask.
pub const MASK: &str = "mask";

/// The form field of the images: with `[]` for several, since a repeated plain `image` is refused as a duplicate by OpenAI.
pub const fn image_field(count: usize) -> &'static str {
    if count == 1 { "image" } else { "image[]" }
}
