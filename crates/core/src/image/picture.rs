//! A generated image, independent of where its bytes are.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use gptimage_model::image::{Verified, verify, verify_bytes};
use gptimage_model::rules::GPT_IMAGE_2;
use gptimage_model::{ImageFormat, ImageInput};

use crate::warning::Warning;

/// The place of an image's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// In memory.
    Memory(Bytes),
    /// In a file, complete and synced.
    File(PathBuf),
    /// On the server, at [`Image::url`].
    Url,
}

/// A generated image: in memory, in a file, or still at its URL.
///
/// Clones share the bytes. Format and dimensions are read from the bytes, not taken from the request.
#[derive(Clone, PartialEq)]
pub struct Image {
    location: Location,
    url: Option<String>,
    verified: Option<Verified>,
    revised_prompt: Option<String>,
    inline: bool,
}

impl Image {
    /// Creates an image from the URL that the server returned earlier. [`Client::fetch`](crate::Client::fetch)
    /// downloads it.
    pub fn from_url(url: impl Into<String>) -> Self {
        Self::at_url(url.into())
    }

    /// Creates an image from its bytes. Any bytes are accepted; if they are not a complete PNG, JPEG or WebP, the image
    /// has no format and no dimensions.
    ///
    /// ```
    /// use gptimage_core::{Image, ImageFormat};
    /// # let bytes = &include_bytes!("../../../../tests/fixtures/rgb-4x4.jpg")[..];
    /// let image = Image::from_bytes(bytes);
    /// assert_eq!(image.format(), Some(ImageFormat::Jpeg));
    /// assert_eq!(image.dimensions(), Some((4, 4)));
    /// ```
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let verified = verify_bytes(&bytes).ok();
        Self { location: Location::Memory(bytes), url: None, verified, revised_prompt: None, inline: false }
    }

    /// Creates an image from a file, which is inspected now and read when the bytes are needed. Blocks during the
    /// inspection. If the file cannot be read or is not a complete image, the image has no format and no dimensions.
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let verified = File::open(&path).ok().and_then(|file| {
            let len = file.metadata().ok()?.len();
            verify(file, len).ok()
        });
        Self { location: Location::File(path), url: None, verified, revised_prompt: None, inline: false }
    }

    pub(crate) fn at_url(url: String) -> Self {
        Self { location: Location::Url, url: Some(url), verified: None, revised_prompt: None, inline: false }
    }

    pub(crate) fn stored(location: Location, verified: Verified) -> Self {
        Self { location, url: None, verified: Some(verified), revised_prompt: None, inline: false }
    }

    /// Creates an image from bytes that were paid for but are not recognised as an image.
    pub(crate) fn unverified(bytes: Bytes) -> Self {
        Self { location: Location::Memory(bytes), url: None, verified: None, revised_prompt: None, inline: false }
    }

    /// Sets the URL, when a stored image is restored.
    #[doc(hidden)]
    #[must_use]
    pub fn with_url(mut self, url: Option<String>) -> Self {
        self.url = url;
        self
    }

    /// Sets the revised prompt, when a stored image is restored.
    #[doc(hidden)]
    #[must_use]
    pub fn with_revised_prompt(mut self, revised_prompt: Option<String>) -> Self {
        self.revised_prompt = revised_prompt;
        self
    }

    /// Sets whether the image was part of the response, when a stored image is restored.
    #[doc(hidden)]
    #[must_use]
    pub fn with_inline(mut self, inline: bool) -> Self {
        self.inline = inline;
        self
    }

    /// Returns whether the image was part of the response as base64, rather than linked.
    pub fn is_inline(&self) -> bool {
        self.inline
    }

    /// Returns where the bytes are.
    pub fn location(&self) -> &Location {
        &self.location
    }

    pub(crate) fn into_location(self) -> Location {
        self.location
    }

    /// Returns the bytes, if they are in memory.
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.location {
            Location::Memory(bytes) => Some(bytes),
            Location::File(_) | Location::Url => None,
        }
    }

    /// Returns the path of the file, if the image was saved.
    pub fn path(&self) -> Option<&Path> {
        match &self.location {
            Location::File(path) => Some(path),
            Location::Memory(_) | Location::Url => None,
        }
    }

    /// Returns the URL that the server returned. How long it stays valid is not documented.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Returns the format, read from the bytes. `None` while they are still at a URL.
    pub fn format(&self) -> Option<ImageFormat> {
        self.verified.as_ref().map(|verified| verified.format)
    }

    /// Returns width and height in pixels, read from the bytes. `None` while they are still at a URL.
    pub fn dimensions(&self) -> Option<(u32, u32)> {
        self.verified.as_ref().and_then(|verified| verified.dimensions)
    }

    /// Returns the length in bytes. `None` while they are still at a URL.
    pub fn len_bytes(&self) -> Option<u64> {
        match &self.location {
            Location::Memory(bytes) => Some(bytes.len() as u64),
            Location::File(_) | Location::Url => self.verified.as_ref().map(|verified| verified.len),
        }
    }

    /// Returns the prompt as revised by the model, if the server states it.
    pub fn revised_prompt(&self) -> Option<&str> {
        self.revised_prompt.as_deref()
    }

    /// Returns warnings about differences between the image and the request.
    pub(crate) fn compare(&self, index: usize, asked: &crate::request::Parameters) -> Vec<Warning> {
        let mut warnings = Vec::new();
        // Unset means the server's default.
        let asked_or_default =
            |set: Option<&'_ str>, param| set.or(GPT_IMAGE_2.default_of(param)).unwrap_or_default().to_owned();
        let format = asked_or_default(asked.output_format.as_ref().map(|format| format.as_str()), "output_format");
        if let Some(got) = self.format()
            && format != got.as_str()
        {
            warnings.push(Warning::other_format(index, &format, got));
        }
        let size = asked_or_default(asked.size.as_ref().map(|size| size.as_str()), "size");
        if let Some((width, height)) = self.dimensions()
            && size != format!("{width}x{height}")
        {
            warnings.push(Warning::other_size(index, &size, (width, height)));
        }
        warnings
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Image(")?;
        match self.format() {
            Some(format) => write!(f, "{format}")?,
            None => f.write_str("unknown format")?,
        }
        if let Some((width, height)) = self.dimensions() {
            write!(f, " {width}x{height}")?;
        }
        match &self.location {
            Location::Memory(bytes) => write!(f, ", {} bytes in memory)", bytes.len()),
            Location::File(path) => write!(f, ", {})", path.display()),
            Location::Url => f.write_str(", at its url)"),
        }
    }
}

impl From<Image> for ImageInput {
    fn from(image: Image) -> Self {
        match image.into_location() {
            Location::Memory(bytes) => Self::bytes(bytes),
            Location::File(path) => Self::path(path),
            Location::Url => Self::not_fetched("the image"),
        }
    }
}
