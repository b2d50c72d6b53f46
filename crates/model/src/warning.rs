//! Warnings about calls that succeeded.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::amount::Amount;
use crate::image::{ImageFormat, Orientation};
use crate::text;

/// A warning about a call that succeeded: worth reporting, but no reason to fail after the call was paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    kind: Cow<'static, str>,
    message: String,
}

impl Warning {
    /// Returns the stable name, such as `other_size`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns a sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Constructors of all warnings, for the crates of this repository. Callers only read warnings.
#[doc(hidden)]
impl Warning {
    /// Restores a warning that was stored in a file.
    pub fn restored(kind: String, message: String) -> Self {
        Self { kind: Cow::Owned(kind), message }
    }

    fn new(kind: &'static str, message: String) -> Self {
        Self { kind: Cow::Borrowed(kind), message }
    }

    pub fn other_format(index: usize, asked: &str, got: ImageFormat) -> Self {
        Self::new("other_format", format!("picture {} is {got}, {asked} was asked for", index + 1))
    }

    pub fn other_size(index: usize, asked: &str, (width, height): (u32, u32)) -> Self {
        Self::new("other_size", format!("picture {} is {width}x{height}, {asked} was asked for", index + 1))
    }

    pub fn fewer_images(asked: u32, got: usize) -> Self {
        Self::new("fewer_images", format!("{got} of {asked} pictures came"))
    }

    pub fn more_images(asked: u32, got: usize) -> Self {
        Self::new("more_images", format!("{got} pictures came, {asked} were asked for"))
    }

    pub fn surplus_at_url(count: usize) -> Self {
        Self::new(
            "surplus_at_url",
            format!("{count} more pictures than were asked for were left at their URLs: all together are too large"),
        )
    }

    pub fn price_missing() -> Self {
        Self::new("price_missing", "the server did not say what the call cost".to_owned())
    }

    pub fn price_unreadable(price: &str) -> Self {
        let shown = text::shorten(price, 40);
        Self::new("price_unreadable", format!("the server's price {shown:?} is no amount"))
    }

    pub fn price_disagrees(header: &str, body: &str) -> Self {
        Self::new(
            "price_disagrees",
            format!("the response header says {header}, its body {body}; the larger one is reported"),
        )
    }

    pub fn over_budget(reserved: Amount) -> Self {
        let message =
            format!("the call cost more than the {reserved} USD that were reserved for it; its budget is closed");
        Self::new("over_budget", message)
    }

    pub fn lying_extension(path: &Path, format: ImageFormat) -> Self {
        let message = format!("{} holds a {format}; its extension says otherwise", text::path(path));
        Self::new("lying_extension", message)
    }

    pub fn exif_orientation(param: &str, name: &str, orientation: Orientation) -> Self {
        let message = format!(
            "{param}: {name} has EXIF orientation {} and is sent as its pixels lie in the file, {}; save it upright if the \
             result is not",
            orientation.number(),
            orientation.describe()
        );
        Self::new("exif_orientation", message)
    }

    pub fn half_transparent_mask(name: &str) -> Self {
        let message =
            format!("mask: {name} has half-transparent pixels; only what is fully transparent is sure to be edited");
        Self::new("half_transparent_mask", message)
    }

    pub fn target_appeared(asked: &Path, saved: &Path) -> Self {
        let message = format!("{} appeared meanwhile; the picture is in {}", text::path(asked), text::path(saved));
        Self::new("target_appeared", message)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
