//! Creating masks, for `gptimage.Mask`.

use gptimage_core::{Error, InvalidRequest, Mask};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::OrRaise;
use crate::input::Input;

/// The bytes of a PNG, and its editable share.
type Made<'py> = (Bound<'py, PyBytes>, f64);

fn made(py: Python<'_>, make: impl Send + FnOnce() -> Result<Mask, InvalidRequest>) -> PyResult<Made<'_>> {
    let mask = py.detach(|| make().map_err(Error::from)).or_raise(py)?;
    Ok((PyBytes::new(py, mask.png()), mask.editable_share()))
}

/// Makes a mask that is editable inside the boxes.
#[pyfunction]
pub(crate) fn mask_from_boxes(py: Python<'_>, width: u32, height: u32, boxes: Vec<[u32; 4]>) -> PyResult<Made<'_>> {
    made(py, || Mask::from_boxes(width, height, boxes))
}

/// Makes a mask that is editable where a byte is not 0.
#[pyfunction]
pub(crate) fn mask_from_editable<'py>(py: Python<'py>, width: u32, height: u32, bytes: &[u8]) -> PyResult<Made<'py>> {
    made(py, || Mask::from_editable(width, height, bytes))
}

/// Makes a mask that is editable where alpha is 0.
#[pyfunction]
pub(crate) fn mask_from_alpha<'py>(py: Python<'py>, width: u32, height: u32, bytes: &[u8]) -> PyResult<Made<'py>> {
    made(py, || Mask::from_alpha(width, height, bytes))
}

/// Returns the width and height of an image, read from its header.
#[pyfunction]
pub(crate) fn dimensions(py: Python<'_>, image: Input) -> PyResult<(u32, u32)> {
    py.detach(|| Ok::<_, Error>(image.0.input("image")?.dimensions()?)).or_raise(py)
}
