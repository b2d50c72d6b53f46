//! Conversion of outcomes to dicts, from which the classes of `gptimage` make objects.

use std::error::Error as _;
use std::io;
use std::sync::Mutex;

use gptimage_core::{Client, Error, Generated};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::convert::{from_json, to_python};
use crate::image::Image;
use crate::memory::catch_memory_error;
use crate::references::is_only;
use crate::sync::lock;

/// Returns the kind of an outcome and its dict.
pub(crate) fn result_to_dict<'py>(
    py: Python<'py>,
    outcome: &Result<Generated, Error>,
) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
    match outcome {
        Ok(generated) => Ok(("generated", generated_to_dict(py, generated)?)),
        Err(error) => Ok(("error", error_to_dict(py, error)?)),
    }
}

fn generated_to_dict<'py>(py: Python<'py>, generated: &Generated) -> PyResult<Bound<'py, PyAny>> {
    let fields = to_python(py, generated)?;
    let images = generated.images().iter().cloned().map(Image::new);
    fields.set_item("images", PyList::new(py, images.collect::<Vec<_>>())?.to_tuple())?;
    fields.set_item("response", from_json(py, generated.response())?)?;
    Ok(fields)
}

/// Converts an error to a dict, with core's names and two additions: `cause`, as text, and `errno`, which is the
/// system's number or a name in Python's `errno`.
pub(crate) fn error_to_dict<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let fields = to_python(py, error)?;
    // The path is passed in the system's own bytes, which JSON cannot represent.
    fields.set_item("response_file", error.response_file())?;
    fields.set_item("response_bytes", error.response_bytes().map(|bytes| PyBytes::new(py, bytes)))?;
    fields.set_item("generated", error.generated().map(|generated| generated_to_dict(py, generated)).transpose()?)?;
    let system = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    fields.set_item("cause", error.source().map(|cause| cause.to_string()))?;
    match (system.and_then(io::Error::raw_os_error), system.and_then(|system| errno_name(system.kind()))) {
        (Some(number), _) => fields.set_item("errno", number)?,
        (None, name) => fields.set_item("errno", name)?,
    }
    Ok(fields)
}

/// Returns the name in Python's `errno` for an I/O error that the library itself detected.
fn errno_name(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::AlreadyExists => Some("EEXIST"),
        io::ErrorKind::NotFound => Some("ENOENT"),
        io::ErrorKind::PermissionDenied => Some("EACCES"),
        io::ErrorKind::InvalidInput => Some("EINVAL"),
        _ => None,
    }
}

/// Outcomes that are being collected. Those that nobody receives are put back for the next `collect`.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct Batch {
    client: Client,
    outcomes: Mutex<Vec<Result<Generated, Error>>>,
    delivered: Mutex<Option<Py<PyAny>>>,
}

impl Batch {
    pub(crate) fn new(client: Client) -> Self {
        let outcomes = client.collect();
        Self { client, outcomes: Mutex::new(outcomes), delivered: Mutex::default() }
    }
}

#[pymethods]
impl Batch {
    /// Returns the kind and the dict of each outcome.
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        // Copied, because creating objects may run Python code, which must not happen under a lock.
        let outcomes = lock(&self.outcomes).clone();
        catch_memory_error(py, || {
            let fields = outcomes.iter().map(|outcome| result_to_dict(py, outcome)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, fields)
        })
    }

    /// Puts all outcomes back for the next `collect`.
    fn put_back(&self) {
        lock(&self.outcomes).drain(..).for_each(|outcome| self.client.keep(outcome));
    }

    /// Registers the objects that were made from the outcomes.
    fn mark_delivered(&self, objects: Py<PyAny>, py: Python<'_>) -> Py<PyAny> {
        *lock(&self.delivered) = Some(objects.clone_ref(py));
        objects
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let arrived = lock(&self.delivered)
            .take()
            .is_some_and(|object| Python::try_attach(|py| is_only(&object, py)) == Some(false));
        if !arrived {
            self.put_back();
        }
    }
}
