//! Requests: built from required arguments and setters, valid once they exist.

mod edit;
mod generate;
mod input;
mod parameters;
mod params;
mod pixels;

pub use edit::{EditRequest, EditRequestBuilder};
pub use generate::{GenerateRequest, GenerateRequestBuilder};
pub use input::ImageInput;
pub(crate) use input::{Defect, FileIdentity, Inspected, MaskAlpha, Source, open_without_waiting};
pub(crate) use parameters::Parameters;
pub use parameters::{PARAMETERS, ParameterInfo};
pub(crate) use params::WireValue;
pub use params::{Background, Integer, Model, Moderation, OutputFormat, Quality, ResponseFormat, Size};
pub use pixels::PixelFormat;
pub(crate) use pixels::encode;

/// The two things the API does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A picture from a prompt.
    Generate,
    /// Pictures from a prompt and pictures.
    Edit,
}

impl Operation {
    /// `generate` or `edit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Edit => "edit",
        }
    }
}
