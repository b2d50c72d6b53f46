//! Conversion of a client's keyword arguments to core's builder. `None` means not given.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use gptimage_core::Timers;
use gptimage_core::binding::seconds;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::budget::Budget;
use crate::error::OrRaise;

/// Builds a core client.
pub(crate) type Builder = gptimage_core::ClientBuilder<gptimage_core::Client>;

/// Applies `options` to `builder`.
pub(crate) fn change(mut builder: Builder, options: &Bound<'_, PyDict>) -> PyResult<Builder> {
    for (name, value) in options.iter() {
        if !value.is_none() {
            let name: String = name.extract()?;
            builder = set(builder, &name, &value).map_err(|error| name_argument(options.py(), &name, error))?;
        }
    }
    Ok(builder)
}

/// Returns how long exit waits for calls that may be charged, if the option is given.
pub(crate) fn exit_wait(py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<Option<Duration>> {
    const NAME: &str = "exit_wait";
    let given = options.get_item(NAME)?.filter(|value| !value.is_none());
    let given = given.map(|value| value.extract().map_err(|error| name_argument(py, NAME, error))).transpose()?;
    given.map(|value| seconds(NAME, value)).transpose().or_raise(py)
}

/// Adds the argument's name to an error about a wrong type or a number out of range.
pub(crate) fn name_argument(py: Python<'_>, name: &str, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyTypeError>(py) {
        return PyTypeError::new_err(format!("{name}: {}", error.value(py)));
    }
    if error.is_instance_of::<PyOverflowError>(py) {
        return config_error(py, &format!("{name}: this number is out of range"));
    }
    error
}

fn config_error(py: Python<'_>, text: &str) -> PyErr {
    let class = py.import("gptimage.exceptions").and_then(|module| module.getattr("ConfigError"));
    match class.and_then(|class| class.call1((text,))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(broken) => broken,
    }
}

fn set(builder: Builder, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Builder> {
    let py = value.py();
    Ok(match name {
        "api_key" => builder.api_key(value.extract::<String>()?),
        "base_url" => builder.base_url(value.extract::<String>()?),
        "allow_http" => builder.allow_http(value.extract()?),
        "max_attempts" => builder.max_attempts(value.extract()?),
        "deadline" => builder.deadline(seconds(name, value.extract()?).or_raise(py)?),
        "timers" => builder.timers(timers(value)?),
        "ca_file" => builder.ca_file(value.extract::<PathBuf>()?),
        "proxy" if value.is_instance_of::<PyBool>() && !value.is_truthy()? => builder.no_proxy(),
        "proxy" => builder.proxy(value.extract::<String>()?),
        "headers" => {
            let headers: BTreeMap<String, String> = value.extract()?;
            builder.headers(headers)
        }
        "fetch" => builder.fetch(value.extract()?),
        "retry_server_errors" => builder.retry_server_errors(value.extract()?),
        "on_cancel" => match value.extract::<String>()?.as_str() {
            "keep" => builder.abort_on_cancel(false),
            "abort" => builder.abort_on_cancel(true),
            other => return Err(config_error(py, &format!("on_cancel: {other:?} is neither 'keep' nor 'abort'"))),
        },
        "salvage_max_bytes" => builder.salvage_max_bytes(value.extract()?),
        "salvage_folder" => builder.salvage_folder(value.extract::<PathBuf>()?),
        "budget" => builder.budget(value.cast::<Budget>()?.get().core()),
        // An option of this binding that core does not have.
        "exit_wait" => builder,
        "max_image_bytes" => builder.max_image_bytes(value.extract()?),
        unknown => return Err(PyTypeError::new_err(format!("there is no option {unknown:?}"))),
    })
}

fn timers(value: &Bound<'_, PyAny>) -> PyResult<Timers> {
    let mut timers = Timers::default();
    for (name, seconds) in value.extract::<BTreeMap<String, f64>>()? {
        timers.set(&name, seconds).or_raise(value.py())?;
    }
    Ok(timers)
}
