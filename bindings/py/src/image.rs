//! One picture: `gptimage.Image`.

use std::ffi::CString;
use std::os::raw::c_int;
use std::path::PathBuf;

use bytes::Bytes;
use gptimage_binding::Source;
use gptimage_core::{ImageInput, Location, SaveTo};
use pyo3::exceptions::{PyTypeError, PyUserWarning, PyValueError};
use pyo3::ffi::Py_buffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyTuple};

use crate::buffer;
use crate::error::OrRaise;

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

#[pymethods]
impl Image {
    /// A picture's bytes. What is no whole PNG, JPEG or WebP has no format and no dimensions.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: PyBackedBytes) -> Self {
        py.detach(|| Self(gptimage_core::Image::from_bytes(Bytes::from_owner(data))))
    }

    /// A picture's file, which is read whenever its bytes are asked for.
    #[staticmethod]
    fn from_file(py: Python<'_>, path: PathBuf) -> Self {
        py.detach(|| Self(gptimage_core::Image::from_file(path)))
    }

    /// A picture that was made earlier, at the link that the server gave; `client.fetch` gets it.
    #[staticmethod]
    fn from_url(url: String) -> Self {
        Self(gptimage_core::Image::from_url(url))
    }

    /// What `pickle` has kept.
    #[staticmethod]
    fn _restore(
        py: Python<'_>,
        data: Option<PyBackedBytes>,
        path: Option<PathBuf>,
        url: Option<String>,
        revised_prompt: Option<String>,
        inline: bool,
    ) -> PyResult<Self> {
        let image = py.detach(|| match (data, path, &url) {
            (Some(data), _, _) => Some(gptimage_core::Image::from_bytes(Bytes::from_owner(data))),
            (None, Some(path), _) => Some(gptimage_core::Image::from_file(path)),
            (None, None, Some(url)) => Some(gptimage_core::Image::from_url(url)),
            (None, None, None) => None,
        });
        let image = image.ok_or_else(|| PyValueError::new_err("this pickle holds no picture"))?;
        Ok(Self(image.with_url(url).with_revised_prompt(revised_prompt).with_inline(inline)))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, image) = (slf.py(), &slf.get().0);
        let data = image.bytes().map(|bytes| PyBytes::new(py, bytes));
        let kept = (data, image.path(), image.url(), image.revised_prompt(), image.is_inline()).into_pyobject(py)?;
        Ok((slf.get_type().getattr("_restore")?, kept))
    }

    /// From the bytes; `None` while they are still at a URL.
    #[getter]
    fn format(&self) -> Option<&'static str> {
        self.0.format().map(gptimage_core::ImageFormat::as_str)
    }

    /// In pixels, from the bytes.
    #[getter]
    fn width(&self) -> Option<u32> {
        self.0.dimensions().map(|(width, _)| width)
    }

    /// In pixels, from the bytes.
    #[getter]
    fn height(&self) -> Option<u32> {
        self.0.dimensions().map(|(_, height)| height)
    }

    /// Where the bytes are.
    #[getter]
    fn location(&self) -> &'static str {
        match self.0.location() {
            Location::Memory(_) => "memory",
            Location::File(_) => "file",
            _ => "url",
        }
    }

    /// The file, if the picture was saved to one.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.path().map(|path| path_object(py, path.into())).transpose()
    }

    /// The link that the server gave. Its lifetime is not documented.
    #[getter]
    fn url(&self) -> Option<&str> {
        self.0.url()
    }

    /// The prompt as the model rewrote it, where the server says so.
    #[getter]
    fn revised_prompt(&self) -> Option<&str> {
        self.0.revised_prompt()
    }

    /// Whether it came inside the answer, as base64, and not by its link.
    #[getter]
    fn inline(&self) -> bool {
        self.0.is_inline()
    }

    /// Length of the file in bytes; `None` while it is still at a URL.
    #[getter]
    fn nbytes(&self) -> Option<u64> {
        self.0.len_bytes()
    }

    /// The file's bytes, from memory or from the file.
    ///
    /// Raises LocalIOError if the file cannot be read, DownloadError if the picture is still at its URL.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.0.read()).or_raise(py)?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.read(py)
    }

    /// Bytes in memory are shown where they are; a file is read.
    #[allow(unsafe_code, reason = "the protocol's own signature; what it does is in buffer.rs")]
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
        match slf.get().0.bytes() {
            // SAFETY: Python passes a view to be filled.
            Some(bytes) => unsafe { buffer::show(slf.as_any(), bytes, view, flags) },
            None => {
                let bytes = slf.get().read(slf.py())?;
                // SAFETY: as above.
                unsafe { buffer::show_bytes(&bytes, view, flags) }
            }
        }
    }

    /// Saves a copy to a file or folder and says where it is: whole, under its final name, or not at all.
    ///
    /// An existing folder or a path that ends in `/` takes a name of our making; a missing extension is added; an
    /// existing file is refused unless `overwrite`. Nothing is converted: an extension of another format is a UserWarning,
    /// before anything is written. Raises LocalIOError.
    #[pyo3(signature = (path, *, overwrite = false))]
    fn save<'py>(&self, py: Python<'py>, path: PathBuf, overwrite: bool) -> PyResult<Bound<'py, PyAny>> {
        let to = SaveTo::from(path).overwrite(overwrite);
        if let Some(warning) = py.detach(|| self.0.extension_warning(to.clone())) {
            let text = CString::new(warning.to_string())?;
            PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)?;
        }
        let saved = py.detach(|| self.0.save(to)).or_raise(py)?;
        path_object(py, saved)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> isize {
        // Equal pictures have equal lengths and links.
        let url = self
            .0
            .url()
            .unwrap_or_default()
            .bytes()
            .fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        self.0.len_bytes().unwrap_or_default().wrapping_mul(0x9e37_79b9).wrapping_add(url) as isize
    }

    fn __repr__(&self) -> String {
        // Signed links are long, and whoever has one has the picture; only the host is shown.
        match self.0.url().filter(|_| self.0.location() == &Location::Url) {
            Some(url) => {
                let place = url.split('/').nth(2).unwrap_or_default();
                let host = place.rsplit('@').next().unwrap_or_default();
                let host: String = host.chars().take(100).collect();
                format!("Image(not fetched, at {})", gptimage_core::printable(&host))
            }
            None => format!("{:?}", self.0),
        }
    }
}

pub(crate) fn path_object(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    // Python's own type, which pyo3 makes of a path.
    Ok(path.into_pyobject(py)?.into_any())
}

/// An image to upload, as `gptimage._inputs` hands it over.
pub(crate) struct Input(pub(crate) Source);

impl<'py> FromPyObject<'_, 'py> for Input {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(image) = value.cast::<Image>() {
            return Ok(Self(ImageInput::from(image.get().0.clone()).into()));
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
