//! A request that passed the rules.

use super::{Inspected, Operation, Parameters};
use crate::rules;
use crate::save_to::SaveTo;
use crate::violation::InvalidRequest;
use crate::warning::Warning;

/// A valid request of either operation. It can only be built if every rule passes and its files could be inspected.
///
/// [`GenerateRequest`](crate::GenerateRequest) and [`EditRequest`](crate::EditRequest) wrap it, with typed setters and
/// getters for the parameters of their operation.
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
    pub(super) operation: Operation,
    pub(super) parameters: Parameters,
    pub(super) images: Vec<Inspected>,
    pub(super) mask: Option<Inspected>,
    pub(super) warnings: Vec<Warning>,
}

impl Request {
    /// Returns the operation.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns the parameters, without images and mask.
    #[doc(hidden)]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Returns the inspected input images of an edit.
    #[doc(hidden)]
    pub fn images(&self) -> &[Inspected] {
        &self.images
    }

    /// Returns the inspected mask of an edit.
    #[doc(hidden)]
    pub fn mask(&self) -> Option<&Inspected> {
        self.mask.as_ref()
    }

    /// Returns warnings about the inputs, which do not make the request invalid.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Sets `output_format` from the extension of the file to save to, if the request does not set it.
    ///
    /// # Errors
    /// [`InvalidRequest`] if the extension contradicts a format that was set.
    #[doc(hidden)]
    pub fn saved_to(mut self, to: &SaveTo) -> Result<Self, InvalidRequest> {
        self.parameters.set_target(to);
        rules::infer_output_format(&mut self.parameters);
        InvalidRequest::unless_none(rules::check_parameters(self.operation, &self.parameters))?;
        Ok(self)
    }
}
