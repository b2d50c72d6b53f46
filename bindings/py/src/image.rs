//! The class `gptimage.Image`; its methods are in `image_methods`.

use pyo3::prelude::*;

/// An image: in memory, in a file, or still at its URL. Immutable, picklable and hashable.
///
/// Format and dimensions are read from the bytes, not taken from the request. An image supports the buffer protocol:
/// `memoryview(image)` and `numpy.frombuffer(image, "uint8")` show the bytes of the file without a copy (an image in a
/// file is read). NumPy prefers that protocol, so `numpy.asarray(image)` also returns the bytes of the file; use
/// `to_numpy` for the pixels. A notebook shows a preview of the image.
#[pyclass(frozen, module = "gptimage")]
pub(crate) struct Image(gptimage_core::Image);

impl Image {
    pub(crate) fn new(image: gptimage_core::Image) -> Self {
        Self(image)
    }

    pub(crate) fn core(&self) -> &gptimage_core::Image {
        &self.0
    }
}
