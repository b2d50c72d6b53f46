use super::{Operation, Request, RequestBuilder};
use crate::violation::InvalidRequest;

/// A valid request for `POST /images/generations`. It can only be built if every rule passes.
///
/// ```
/// use gptimage_model::{GenerateRequest, Size};
///
/// let request = GenerateRequest::builder("A T-Rex relaxing on a beach")
///     .size(Size::Landscape)
///     .build()?;
/// assert_eq!(request.size(), Some(&Size::Landscape));
///
/// let error = GenerateRequest::builder("").n(4).build().unwrap_err();
/// let params: Vec<_> = error.violations().iter().map(|violation| violation.param()).collect();
/// assert_eq!(params, ["prompt", "n"]);
/// # Ok::<(), gptimage_model::InvalidRequest>(())
/// ```
#[derive(Debug, Clone)]
pub struct GenerateRequest(pub(super) Request);

impl GenerateRequest {
    /// Starts a request from its one required argument: the prompt, 1 to 32,000 characters.
    pub fn builder(prompt: impl Into<String>) -> GenerateRequestBuilder {
        GenerateRequestBuilder(Request::builder(Operation::Generate, prompt))
    }
}

/// Builds a [`GenerateRequest`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct GenerateRequestBuilder(pub(super) RequestBuilder);

impl GenerateRequestBuilder {
    /// Checks all rules and builds the request.
    ///
    /// # Errors
    /// [`InvalidRequest`] lists every violation.
    pub fn build(self) -> Result<GenerateRequest, InvalidRequest> {
        self.0.build().map(GenerateRequest)
    }
}
