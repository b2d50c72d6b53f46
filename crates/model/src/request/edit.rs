use super::{ImageInput, Operation, Request, RequestBuilder};
use crate::violation::InvalidRequest;

/// A valid request for `POST /images/edits`: it exists, so the rules have passed it and its files were inspected.
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
    /// Starts a request with all that is required: the prompt, 1 to 32,000 characters, and 1 to 16 images.
    pub fn builder<I>(prompt: impl Into<String>, images: I) -> EditRequestBuilder
    where
        I: IntoIterator,
        I::Item: Into<ImageInput>,
    {
        let builder = Request::builder(Operation::Edit, prompt);
        EditRequestBuilder(images.into_iter().fold(builder, RequestBuilder::image))
    }
}

/// Collects the parameters of an [`EditRequest`].
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
    /// Appends an image.
    pub fn image(self, image: impl Into<ImageInput>) -> Self {
        Self(self.0.image(image))
    }

    /// Sets the mask: a PNG of the first image's dimensions whose fully transparent areas say where that image is edited.
    /// Under 4 MB, with an alpha channel and at least one fully transparent pixel.
    pub fn mask(self, mask: impl Into<ImageInput>) -> Self {
        Self(self.0.mask(mask))
    }

    /// Opens every input, reads the headers (of the mask also the alpha), walks to its end, and checks all rules at once.
    /// Blocks for as long as the files take to open.
    ///
    /// # Errors
    /// [`InvalidRequest`] with every violation.
    pub fn build(self) -> Result<EditRequest, InvalidRequest> {
        self.0.build().map(EditRequest)
    }
}
