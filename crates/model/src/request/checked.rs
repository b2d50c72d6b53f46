//! A request that the rules have passed.

use super::{Inspected, Operation, Parameters};
use crate::rules;
use crate::save_to::SaveTo;
use crate::violation::InvalidRequest;
use crate::warning::Warning;

/// A valid request of either operation: it exists, so the rules have passed it and its files were inspected.
///
/// [`GenerateRequest`](crate::GenerateRequest) and [`EditRequest`](crate::EditRequest) are this with setters and getters of their
/// operation's parameters.
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
