use serde_json::Value;

use super::extra::ExtraValue;
use super::{ImageInput, Operation, Parameters, Request};
use crate::rules;
use crate::save_to::SaveTo;
use crate::violation::InvalidRequest;

/// Builds a [`Request`], with parameters set by their API names.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct RequestBuilder {
    operation: Operation,
    pub(super) parameters: Parameters,
    images: Vec<ImageInput>,
    mask: Option<ImageInput>,
}

impl Request {
    /// Starts a request from its operation and its prompt, 1 to 32,000 characters. An edit also needs 1 to 16 images.
    pub fn builder(operation: Operation, prompt: impl Into<String>) -> RequestBuilder {
        let parameters = Parameters::new(prompt.into());
        RequestBuilder { operation, parameters, images: Vec::new(), mask: None }
    }
}

impl RequestBuilder {
    /// Sets a parameter by its API name from text, as in command lines and files. `build` rejects a name that the
    /// operation does not have.
    pub fn set(mut self, name: &str, text: &str) -> Self {
        self.parameters.set(self.operation, name, text);
        self
    }

    /// Appends an input image. `build` rejects it for an operation without images.
    pub fn image(mut self, image: impl Into<ImageInput>) -> Self {
        self.images.push(image.into());
        self
    }

    /// Sets the mask. `build` rejects it for an operation without images.
    pub fn mask(mut self, mask: impl Into<ImageInput>) -> Self {
        self.mask = Some(mask.into());
        self
    }

    /// Adds a field that this crate does not know. It is sent unchanged: as JSON in a JSON body, as text in a form.
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.extra.insert(name.into(), ExtraValue::of(&value.into()));
        self
    }

    /// Adds a field that this crate does not know, from JSON text. Numbers are sent exactly as written; a [`Value`] may
    /// lose digits. `build` rejects text that is not JSON.
    pub fn extra_json(mut self, name: impl Into<String>, json: &str) -> Self {
        self.parameters.extra.insert(name.into(), ExtraValue::parse(json));
        self
    }

    /// Sets the file that the images will be saved to, so that its extension decides `output_format` if that is not
    /// set. `build` rejects a contradiction. Applies to the known model only.
    pub fn output_format_from(mut self, to: impl Into<SaveTo>) -> Self {
        self.parameters.set_target(&to.into());
        self
    }

    /// Sets whether only the structural rules apply, which hold for every server and model. Default: false.
    pub fn structural_rules(mut self, on: bool) -> Self {
        self.parameters.structural_rules = on;
        self
    }

    /// Checks all rules and builds the request. For an edit, opens every input and checks its headers and its structure
    /// to the end, and the alpha channel of the mask; blocks during this file access.
    ///
    /// # Errors
    /// [`InvalidRequest`] lists every violation.
    pub fn build(mut self) -> Result<Request, InvalidRequest> {
        rules::infer_output_format(&mut self.parameters);
        let mut violations = rules::check_parameters(self.operation, &self.parameters);
        if self.operation == Operation::Generate {
            violations.extend(rules::refuse_inputs(self.images.len(), self.mask.is_some()));
            InvalidRequest::unless_none(violations)?;
            let Self { operation, parameters, .. } = self;
            return Ok(Request { operation, parameters, images: Vec::new(), mask: None, warnings: Vec::new() });
        }
        let images: Vec<_> = self.images.iter().map(ImageInput::inspect).collect();
        let mask = self.mask.as_ref().map(ImageInput::inspect_mask);
        violations.extend(rules::check_images(&self.parameters, &images, mask.as_ref()));
        InvalidRequest::unless_none(violations)?;
        let warnings = rules::note_images(&images, mask.as_ref());
        Ok(Request {
            operation: self.operation,
            parameters: self.parameters,
            images: images.into_iter().flatten().collect(),
            mask: mask.and_then(Result::ok),
            warnings,
        })
    }
}
