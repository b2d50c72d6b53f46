//! The fuzz targets. Each is a function that panics if a promise is broken.
//!
//! `make fuzz` runs them under libFuzzer (`fuzz/targets` wraps them). This package's test runs them over
//! `fuzz/seeds`, which holds the inputs that fuzzing found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target fails by panicking"
)]

mod arguments;
mod bytes;
mod c_calls;
mod c_functions;
mod complete;
mod decoder;
mod error_body;
mod header;
mod multipart;
mod retry_after;
mod trust;
mod url_guard;

pub use arguments::arguments;
pub use c_calls::c_calls;
pub use complete::complete;
pub use decoder::decoder;
pub use error_body::error_body;
pub use header::header;
pub use multipart::multipart;
pub use retry_after::retry_after;
pub use url_guard::url_guard;

/// A fuzz target.
pub type Target = fn(&[u8]);

/// All fuzz targets, by the names of their folders in `fuzz/seeds`.
pub const TARGETS: [(&str, Target); 9] = [
    ("arguments", arguments),
    ("c_calls", c_calls),
    ("complete", complete),
    ("decoder", decoder),
    ("error_body", error_body),
    ("header", header),
    ("multipart", multipart),
    ("retry_after", retry_after),
    ("url_guard", url_guard),
];
