use super::{ImageInput, Inspected, Operation, Parameters};
use crate::error::Error;
use crate::rules;

/// A valid request for `POST /images/edits`: it exists, so the rules have passed it and its files were looked at.
///
/// ```
/// use gptimage_core::{EditRequest, ImageInput};
///
/// # let png = include_bytes!("../../../../tests/fixtures/rgba-4x4.png");
/// let request = EditRequest::builder("Put the crown on the T-Rex's head", [ImageInput::bytes(&png[..])]).build()?;
///
/// // Every problem is named at once, before anything is sent.
/// let error = EditRequest::builder("A hat", ["missing.png"]).n(11).build().unwrap_err();
/// let params: Vec<_> = error.violations().iter().map(|violation| violation.param()).collect();
/// assert_eq!(params, ["n", "image"]);
/// # Ok::<(), gptimage_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct EditRequest {
    pub(crate) parameters: Parameters,
    pub(crate) images: Vec<Inspected>,
    pub(crate) mask: Option<Inspected>,
}

impl EditRequest {
    /// Begins a request with all that is required: the prompt, 1 to 32,000 characters, and 1 to 16 images.
    pub fn builder<I>(prompt: impl Into<String>, images: I) -> EditRequestBuilder
    where
        I: IntoIterator,
        I::Item: Into<ImageInput>,
    {
        EditRequestBuilder {
            parameters: Parameters::new(prompt.into()),
            images: images.into_iter().map(Into::into).collect(),
            mask: None,
        }
    }
}

/// Collects the parameters of an [`EditRequest`].
#[derive(Debug, Clone)]
pub struct EditRequestBuilder {
    pub(crate) parameters: Parameters,
    images: Vec<ImageInput>,
    mask: Option<ImageInput>,
}

impl EditRequestBuilder {
    /// One more image, after those given already.
    #[must_use]
    pub fn image(mut self, image: impl Into<ImageInput>) -> Self {
        self.images.push(image.into());
        self
    }

    /// A PNG of the first image's dimensions whose transparent areas say where that image is edited. Under 4 MB, with
    /// an alpha channel and at least one fully transparent pixel.
    #[must_use]
    pub fn mask(mut self, mask: impl Into<ImageInput>) -> Self {
        self.mask = Some(mask.into());
        self
    }

    /// Opens every input, reads the headers (of the mask also the alpha), walks to its end, and checks all rules at once.
    /// Blocks for as long as the files take to open.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) with every violation.
    pub fn build(mut self) -> Result<EditRequest, Error> {
        rules::settle_format(&mut self.parameters);
        let mut violations = rules::check_parameters(Operation::Edit, &self.parameters);
        let images: Vec<_> = self.images.iter().map(ImageInput::inspect).collect();
        let mask = self.mask.as_ref().map(ImageInput::inspect_mask);
        violations.extend(rules::check_images(&self.parameters, &images, mask.as_ref()));
        Error::from_violations(violations)?;
        self.parameters.warnings = rules::note_images(&images, mask.as_ref());
        Ok(EditRequest {
            parameters: self.parameters,
            images: images.into_iter().flatten().collect(),
            mask: mask.and_then(Result::ok),
        })
    }
}
