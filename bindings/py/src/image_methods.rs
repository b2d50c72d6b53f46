//! The methods of `gptimage.Image`.

use std::ffi::CString;
use std::os::raw::c_int;
use std::path::PathBuf;

use bytes::Bytes;
use gptimage_core::{Location, SaveTo};
use pyo3::exceptions::{PyUserWarning, PyValueError};
use pyo3::ffi::Py_buffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyTuple};

use crate::buffer;
use crate::error::OrRaise;
use crate::image::Image;

#[pymethods]
impl Image {
    /// Creates an image from the bytes of a file. Without a complete PNG, JPEG or WebP it has no format and no
    /// dimensions.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: PyBackedBytes) -> Self {
        py.detach(|| Self::new(gptimage_core::Image::from_bytes(Bytes::from_owner(data))))
    }

    /// Creates an image from a file, which is read whenever its bytes are needed.
    #[staticmethod]
    fn from_file(py: Python<'_>, path: PathBuf) -> Self {
        py.detach(|| Self::new(gptimage_core::Image::from_file(path)))
    }

    /// Creates an image from the URL that the server gave for it earlier. `client.fetch` downloads it.
    #[staticmethod]
    fn from_url(url: String) -> Self {
        Self::new(gptimage_core::Image::from_url(url))
    }

    /// Restores a pickled image.
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
        Ok(Self::new(image.with_url(url).with_revised_prompt(revised_prompt).with_inline(inline)))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, image) = (slf.py(), slf.get().core());
        let data = image.bytes().map(|bytes| PyBytes::new(py, bytes));
        let kept = (data, image.path(), image.url(), image.revised_prompt(), image.is_inline()).into_pyobject(py)?;
        Ok((slf.get_type().getattr("_restore")?, kept))
    }

    /// The format, read from the bytes; `None` if the image is still at its URL.
    #[getter]
    fn format(&self) -> Option<&'static str> {
        self.core().format().map(gptimage_core::ImageFormat::as_str)
    }

    /// The width in pixels, read from the bytes.
    #[getter]
    fn width(&self) -> Option<u32> {
        self.core().dimensions().map(|(width, _)| width)
    }

    /// The height in pixels, read from the bytes.
    #[getter]
    fn height(&self) -> Option<u32> {
        self.core().dimensions().map(|(_, height)| height)
    }

    /// Where the bytes are.
    #[getter]
    fn location(&self) -> &'static str {
        match self.core().location() {
            Location::Memory(_) => "memory",
            Location::File(_) => "file",
            _ => "url",
        }
    }

    /// The file that the image was saved to, if any.
    #[getter]
    fn path<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.core().path().map(|path| path_object(py, path.into())).transpose()
    }

    /// The URL that the server gave. Its lifetime is not documented.
    #[getter]
    fn url(&self) -> Option<&str> {
        self.core().url()
    }

    /// The prompt as rewritten by the model, if the server stated it.
    #[getter]
    fn revised_prompt(&self) -> Option<&str> {
        self.core().revised_prompt()
    }

    /// Whether the image came as base64 in the response instead of as a URL.
    #[getter]
    fn inline(&self) -> bool {
        self.core().is_inline()
    }

    /// The size of the file in bytes; `None` if the image is still at its URL.
    #[getter]
    fn nbytes(&self) -> Option<u64> {
        self.core().len_bytes()
    }

    /// Returns the bytes of the file.
    ///
    /// Raises LocalIOError if the file cannot be read, DownloadError if the image is still at its URL.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.core().read()).or_raise(py)?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.read(py)
    }

    /// Bytes in memory are shown where they are; a file is read.
    #[allow(unsafe_code, reason = "the protocol's own signature; what it does is in buffer.rs")]
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut Py_buffer, flags: c_int) -> PyResult<()> {
        match slf.get().core().bytes() {
            // SAFETY: Python passes a view to be filled.
            Some(bytes) => unsafe { buffer::fill_buffer(slf.as_any(), bytes, view, flags) },
            None => {
                let bytes = slf.get().read(slf.py())?;
                // SAFETY: as above.
                unsafe { buffer::fill_buffer_from_bytes(&bytes, view, flags) }
            }
        }
    }

    /// Saves a copy to a file or folder and returns its path.
    ///
    /// If `path` is an existing folder or ends in `/`, a file name is generated; a missing extension is added; an
    /// existing file is refused unless `overwrite`. The file appears under its name only when it is complete. The
    /// format is never converted: an extension of another format causes a UserWarning before anything is written.
    /// Raises LocalIOError.
    #[pyo3(signature = (path, *, overwrite = false))]
    fn save<'py>(&self, py: Python<'py>, path: PathBuf, overwrite: bool) -> PyResult<Bound<'py, PyAny>> {
        let to = SaveTo::from(path).overwrite(overwrite);
        if let Some(warning) = py.detach(|| self.core().extension_warning(to.clone())) {
            let text = CString::new(warning.to_string())?;
            PyErr::warn(py, &py.get_type::<PyUserWarning>(), &text, 1)?;
        }
        let saved = py.detach(|| self.core().save(to)).or_raise(py)?;
        path_object(py, saved)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().core() == self.core())
    }

    fn __hash__(&self) -> isize {
        // Equal images have equal lengths and URLs.
        let url = self
            .core()
            .url()
            .unwrap_or_default()
            .bytes()
            .fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        self.core().len_bytes().unwrap_or_default().wrapping_mul(0x9e37_79b9).wrapping_add(url) as isize
    }

    fn __repr__(&self) -> String {
        // A signed URL is long, and gives access to the image; only the host is shown.
        match self.core().url().filter(|_| self.core().location() == &Location::Url) {
            Some(url) => {
                let place = url.split('/').nth(2).unwrap_or_default();
                let host = place.rsplit('@').next().unwrap_or_default();
                let host: String = host.chars().take(100).collect();
                format!("Image(not fetched, at {})", gptimage_core::printable(&host))
            }
            None => format!("{:?}", self.core()),
        }
    }
}

pub(crate) fn path_object(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    // Return Python's own path type, to which pyo3 converts.
    Ok(path.into_pyobject(py)?.into_any())
}
