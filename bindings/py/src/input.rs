//! Images to upload.

use std::path::PathBuf;

use bytes::Bytes;
use gptimage_binding::Source;
use gptimage_core::ImageInput;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::image::Image;

/// An image to upload, in one of the forms that `gptimage._inputs` produces.
pub(crate) struct Input(pub(crate) Source);

impl<'py> FromPyObject<'_, 'py> for Input {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(image) = value.cast::<Image>() {
            return Ok(Self(ImageInput::from(image.get().core().clone()).into()));
        }
        // A `bytes` object is used where it is, not copied.
        if let Ok(bytes) = value.extract::<PyBackedBytes>() {
            return Ok(Self(ImageInput::bytes(Bytes::from_owner(bytes)).into()));
        }
        if let Ok((width, height, samples, pixels)) = value.extract::<(u32, u32, usize, PyBackedBytes)>() {
            return Ok(Self(Source::Pixels { width, height, samples, pixels: Bytes::from_owner(pixels) }));
        }
        match value.extract::<PathBuf>() {
            Ok(path) => Ok(Self(ImageInput::path(path).into())),
            Err(_) => Err(PyTypeError::new_err(format!("{} is no image", value.get_type().name()?))),
        }
    }
}
