//! Requests: built from required arguments and setters, valid once they exist.

mod edit;
mod extra;
mod generate;
mod input;
mod inspect;
mod parameters;
mod params;
mod pixels;

use crate::error::Error;
use crate::image::SaveTo;
use crate::rules;

pub use edit::{EditRequest, EditRequestBuilder};
pub use generate::{GenerateRequest, GenerateRequestBuilder};
pub use input::ImageInput;
#[doc(hidden)]
pub use inspect::ReceivedFile;
pub(crate) use inspect::{Content, Defect, FileIdentity, Inspected, MaskAlpha, Source, open_without_waiting};
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

/// A request of either operation, before anything is said of how it is sent.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Generate(GenerateRequest),
    Edit(EditRequest),
}

impl Request {
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Generate(_) => Operation::Generate,
            Self::Edit(_) => Operation::Edit,
        }
    }

    pub(crate) fn parameters(&self) -> &Parameters {
        match self {
            Self::Generate(request) => &request.parameters,
            Self::Edit(request) => &request.parameters,
        }
    }

    /// The request as its target's extension completes it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if that contradicts what was set.
    pub(crate) fn saved_to(mut self, to: Option<&SaveTo>) -> Result<Self, Error> {
        let Some(to) = to else { return Ok(self) };
        let operation = self.operation();
        let parameters = match &mut self {
            Self::Generate(request) => &mut request.parameters,
            Self::Edit(request) => &mut request.parameters,
        };
        parameters.set_target(to);
        rules::settle_format(parameters);
        Error::from_violations(rules::check_parameters(operation, parameters))?;
        Ok(self)
    }
}
