//! The class `gptimage.Image`; its methods are in `image_methods`.

use pyo3::prelude::*;

/// One picture that was made: in memory, in a file, or still at a URL. Frozen, picklable, hashable.
///
/// Format and dimensions come from the bytes, not from what was asked. It has the buffer protocol: `memoryview(image)`
/// and `numpy.frombuffer(image, "uint8")` show the file's bytes in memory without a copy (a picture in a file is read).
/// NumPy prefers that protocol to any other, so `numpy.asarray(image)` are the file's bytes, too; `to_numpy` gives the
/// pixels. In a notebook it shows itself, smaller.
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
