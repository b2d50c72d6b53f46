//! Outcomes as facts: dicts, of which `gptimage`'s own classes make objects.

use std::io;
use std::sync::Mutex;

use gptimage_core::{Client, Error, Generated};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::call::lock;
use crate::convert::{from_json, to_python};
use crate::image::Image;
use crate::making::making;
use crate::references::is_only;

/// The kind of an outcome, and its facts.
pub(crate) fn outcome_facts<'py>(
    py: Python<'py>,
    outcome: &Result<Generated, Error>,
) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
    match outcome {
        Ok(generated) => Ok(("generated", generated_facts(py, generated)?)),
        Err(error) => Ok(("error", error_facts(py, error)?)),
    }
}

fn generated_facts<'py>(py: Python<'py>, generated: &Generated) -> PyResult<Bound<'py, PyAny>> {
    let facts = to_python(py, generated)?;
    let images = generated.images().iter().cloned().map(Image::new);
    facts.set_item("images", PyList::new(py, images.collect::<Vec<_>>())?.to_tuple())?;
    facts.set_item("response", from_json(py, generated.response())?)?;
    Ok(facts)
}

/// An error's facts, under core's names; beside them `cause`, in words, and `errno`, the system's number or Python's name of
/// one.
pub(crate) fn error_facts<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let facts = to_python(py, error)?;
    // A path as the system has it, where JSON has text only.
    facts.set_item("response_file", error.response_file())?;
    facts.set_item("response_bytes", error.response_bytes().map(|bytes| PyBytes::new(py, bytes)))?;
    facts.set_item("generated", error.generated().map(|generated| generated_facts(py, generated)).transpose()?)?;
    let system = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    facts.set_item("cause", error.cause().map(|cause| cause.to_string()))?;
    match (system.and_then(io::Error::raw_os_error), system.and_then(|system| errno_name(system.kind()))) {
        (Some(number), _) => facts.set_item("errno", number)?,
        (None, name) => facts.set_item("errno", name)?,
    }
    Ok(facts)
}

/// The name in Python's `errno` of what the library itself has found, without the system's saying so.
fn errno_name(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::AlreadyExists => Some("EEXIST"),
        io::ErrorKind::NotFound => Some("ENOENT"),
        io::ErrorKind::PermissionDenied => Some("EACCES"),
        io::ErrorKind::InvalidInput => Some("EINVAL"),
        _ => None,
    }
}

/// Outcomes that are being collected. What does not arrive is left to whoever collects next.
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
    /// The kind and the facts of each.
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        // A copy: no code of Python's runs under a lock, and making objects may.
        let outcomes = lock(&self.outcomes).clone();
        making(py, || {
            let facts = outcomes.iter().map(|outcome| outcome_facts(py, outcome)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, facts)
        })
    }

    /// Leaves all to whoever collects next.
    fn put_back(&self) {
        lock(&self.outcomes).drain(..).for_each(|outcome| self.client.keep(outcome));
    }

    /// Hands the objects over that were made of the facts.
    fn deliver(&self, objects: Py<PyAny>, py: Python<'_>) -> Py<PyAny> {
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
