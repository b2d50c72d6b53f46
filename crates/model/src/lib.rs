//! Requests to **gpt-image-2**: their parameters, the rules that validate them before money is spent, and their wire
//! bodies. This crate has no transport, no runtime and no clock. [`gptimage-core`](https://docs.rs/gptimage-core) sends
//! the requests, and the emulator validates with the same rules.
//!
//! ```
//! use gptimage_model::{GenerateRequest, Request, Size, wire::Body};
//!
//! let request: Request = GenerateRequest::builder("A T-Rex relaxing on a beach").size(Size::Landscape).build()?.into();
//! let body = Body::of(&request, "only forms have a boundary")?;
//! assert_eq!(body.content_type, "application/json");
//!
//! let refused = GenerateRequest::builder("A T-Rex").set("size", "4096x4096").build().unwrap_err();
//! assert_eq!(refused.violations()[0].param(), "size");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod amount;
pub mod image;
mod mask;
pub mod request;
pub mod rules;
pub mod save_to;
#[doc(hidden)]
pub mod text;
pub mod violation;
pub mod warning;
pub mod wire;

pub use amount::{Amount, ParseAmountError};
pub use image::ImageFormat;
pub use mask::Mask;
pub use request::{
    Background, EditRequest, EditRequestBuilder, GenerateRequest, GenerateRequestBuilder, ImageInput, Integer, Model,
    Moderation, Operation, OutputFormat, PARAMETERS, ParameterInfo, PixelFormat, Quality, Request, RequestBuilder,
    ResponseFormat, Size,
};
pub use save_to::SaveTo;
#[doc(hidden)]
pub use text::printable;
pub use violation::{InvalidRequest, Rule, Violation};
pub use warning::Warning;
