use super::{Operation, Parameters};
use crate::error::Error;
use crate::rules;

/// A valid request for `POST /images/generations`: it exists, so the rules have passed it.
///
/// ```
/// use gptimage_core::{GenerateRequest, Size};
///
/// let request = GenerateRequest::builder("A T-Rex relaxing on a beach")
///     .size(Size::Landscape)
///     .build()?;
/// assert_eq!(request.size(), Some(&Size::Landscape));
///
/// let error = GenerateRequest::builder("").n(4).build().unwrap_err();
/// let params: Vec<_> = error.violations().iter().map(|violation| violation.param()).collect();
/// assert_eq!(params, ["prompt", "n"]);
/// # Ok::<(), gptimage_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GenerateRequest {
    pub(crate) parameters: Parameters,
}

impl GenerateRequest {
    /// Begins a request with all that is required: the prompt, 1 to 32,000 characters.
    pub fn builder(prompt: impl Into<String>) -> GenerateRequestBuilder {
        GenerateRequestBuilder { parameters: Parameters::new(prompt.into()) }
    }
}

/// Collects the parameters of a [`GenerateRequest`].
#[derive(Debug, Clone)]
pub struct GenerateRequestBuilder {
    pub(crate) parameters: Parameters,
}

impl GenerateRequestBuilder {
    /// Checks all rules at once.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) with every violation.
    pub fn build(mut self) -> Result<GenerateRequest, Error> {
        rules::settle_format(&mut self.parameters);
        Error::from_violations(rules::check_parameters(Operation::Generate, &self.parameters))?;
        Ok(GenerateRequest { parameters: self.parameters })
    }
}
