//! Requests: built from required arguments and setters, valid once they exist.

mod builder;
mod edit;
mod extra;
mod generate;
mod input;
mod inspect;
mod operation;
mod parameters;
mod pixels;
mod values;

use crate::rules;
use crate::save_to::SaveTo;
use crate::violation::InvalidRequest;
use crate::warning::Warning;

pub use builder::RequestBuilder;
pub use edit::{EditRequest, EditRequestBuilder};
pub use extra::ExtraValue;
pub use generate::{GenerateRequest, GenerateRequestBuilder};
pub use input::ImageInput;
#[doc(hidden)]
pub use inspect::ReceivedFile;
pub use inspect::{Content, Defect, FileIdentity, Inspected, MaskAlpha, Source, open_without_waiting};
pub use operation::Operation;
pub use parameters::{PARAMETERS, ParameterInfo, Parameters, TargetFormat};
pub use pixels::PixelFormat;
pub(crate) use pixels::encode;
pub use values::{Background, Integer, Model, Moderation, OutputFormat, Quality, ResponseFormat, Size, WireValue};

/// A valid request of either operation: it exists, so the rules have passed it and its files were inspected.
///
/// [`GenerateRequest`] and [`EditRequest`] are this with setters and getters of their operation's parameters.
///
/// ```
/// use gptimage_model::{Operation, Request};
///
/// let request = Request::builder(Operation::Generate, "A T-Rex").set("size", "1536x1024").build()?;
/// assert_eq!(request.operation(), Operation::Generate);
/// # Ok::<(), gptimage_model::InvalidRequest>(())
/// ```
#[derive(Debug, Clone)]
pub struct Request {
    operation: Operation,
    parameters: Parameters,
    images: Vec<Inspected>,
    mask: Option<Inspected>,
    warnings: Vec<Warning>,
}

impl Request {
    /// Starts a request of an operation with its prompt, 1 to 32,000 characters. An edit also needs 1 to 16 images.
    pub fn builder(operation: Operation, prompt: impl Into<String>) -> RequestBuilder {
        RequestBuilder::new(operation, prompt.into())
    }

    /// The operation that is asked for.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The parameters, without images and mask.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The input images of an edit, inspected.
    pub fn images(&self) -> &[Inspected] {
        &self.images
    }

    /// The mask of an edit, inspected.
    pub fn mask(&self) -> Option<&Inspected> {
        self.mask.as_ref()
    }

    /// What is odd about the inputs of this valid request.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The request with `output_format` taken from the extension of the file to save to, where the request leaves it open.
    ///
    /// # Errors
    /// The extension contradicts what was set.
    pub fn saved_to(mut self, to: &SaveTo) -> Result<Self, InvalidRequest> {
        self.parameters.set_target(to);
        rules::settle_format(&mut self.parameters);
        InvalidRequest::unless_none(rules::check_parameters(self.operation, &self.parameters))?;
        Ok(self)
    }
}
