use super::{ImageInput, Operation, Request, RequestBuilder};
use crate::violation::InvalidRequest;

/// A valid request for `POST /images/edits`. It can only be built if every rule passes and its files could be
/// inspected.
///
/// ```
/// use gptimage_model::{EditRequest, ImageInput};
///
/// # let png = include_bytes!("../../../../tests/fixtures/rgba-4x4.png");
/// let request = EditRequest::builder("Put the crown on the T-Rex's head", [ImageInput::bytes(&png[..])]).build()?;
///
/// // Every problem is named at once, before anything is sent.
/// let error = EditRequest::builder("A hat", ["missing.png"]).n(11).build().unwrap_err();
/// let params: Vec<_> = error.violations().iter().map(|violation| violation.param()).collect();
/// assert_eq!(params, ["n", "image"]);
/// # Ok::<(), gptimage_model::InvalidRequest>(())
/// ```
#[derive(Debug, Clone)]
pub struct EditRequest(pub(super) Request);

impl EditRequest {
    /// Starts a request from its required arguments: the prompt, 1 to 32,000 characters, and 1 to 16 images.
    pub fn builder<I>(prompt: impl Into<String>, images: I) -> EditRequestBuilder
    where
        I: IntoIterator,
        I::Item: Into<ImageInput>,
    {
        let builder = Request::builder(Operation::Edit, prompt);
        EditRequestBuilder(images.into_iter().fold(builder, RequestBuilder::image))
    }
}

/// Builds an [`EditRequest`].
///
/// ```
/// use gptimage_model::{EditRequest, ImageInput, Mask, Quality};
///
/// let image = ImageInput::pixels(16, 16, gptimage_model::PixelFormat::Gray, &[7; 256])?;
/// let mask = Mask::from_boxes(16, 16, [[0, 0, 16, 8]])?;
/// let request = EditRequest::builder("A blue sky", [image]).mask(&mask).quality(Quality::High).n(2).build()?;
/// assert_eq!(request.quality(), Some(&Quality::High));
/// # Ok::<(), gptimage_model::InvalidRequest>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct EditRequestBuilder(pub(super) RequestBuilder);

impl EditRequestBuilder {
    /// Appends an input image.
    pub fn image(self, image: impl Into<ImageInput>) -> Self {
        Self(self.0.image(image))
    }

    /// Sets the mask: a PNG with the first image's dimensions, under 4 MB, with an alpha channel and at least one fully
    /// transparent pixel. The image is edited where the mask is fully transparent.
    pub fn mask(self, mask: impl Into<ImageInput>) -> Self {
        Self(self.0.mask(mask))
    }

    /// Checks all rules and builds the request. Opens every input and checks its headers and its structure to the end,
    /// and the alpha channel of the mask. Blocks during this file access.
    ///
    /// # Errors
    /// [`InvalidRequest`] lists every violation.
    pub fn build(self) -> Result<EditRequest, InvalidRequest> {
        self.0.build().map(EditRequest)
    }
}
