//! Requests, built from required arguments and setters. A request that was built is valid.

mod builder;
mod checked;
mod edit;
mod extra;
mod generate;
mod input;
mod inspect;
mod operation;
mod parameters;
mod pixels;
mod setters;
mod values;

pub use builder::RequestBuilder;
pub use checked::Request;
pub use edit::{EditRequest, EditRequestBuilder};
#[doc(hidden)]
pub use extra::ExtraValue;
pub use generate::{GenerateRequest, GenerateRequestBuilder};
pub use input::ImageInput;
#[doc(hidden)]
pub use inspect::{Defect, FileIdentity, InputRole, Inspected, MaskAlpha, ReceivedFile, Source, open_without_waiting};
pub use operation::Operation;
pub use parameters::{PARAMETERS, ParameterInfo};
#[doc(hidden)]
pub use parameters::{Parameters, TargetFormat};
pub use pixels::PixelFormat;
pub(crate) use pixels::encode;
#[doc(hidden)]
pub use values::WireValue;
pub use values::{Background, Integer, Model, Moderation, OutputFormat, Quality, ResponseFormat, Size};
