//! Conversion of a client's keyword arguments to core's configuration. `None` means not given.

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

/// What a client of Python's is built from.
pub(crate) type Config = gptimage_core::ClientBuilder<gptimage_core::Client>;

/// Applies `options` to `config`.
pub(crate) fn change(mut config: Config, options: &Bound<'_, PyDict>) -> PyResult<Config> {
    for (name, value) in options.iter() {
        if !value.is_none() {
            let name: String = name.extract()?;
            config = set(config, &name, &value).map_err(|error| name_argument(options.py(), &name, error))?;
        }
    }
    Ok(config)
}

/// How long exit waits for calls that may be charged, if given.
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

fn set(config: Config, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Config> {
    let py = value.py();
    Ok(match name {
        "api_key" => config.api_key(value.extract::<String>()?),
        "base_url" => config.base_url(value.extract::<String>()?),
        "allow_http" => config.allow_http(value.extract()?),
        "max_attempts" => config.max_attempts(value.extract()?),
        "deadline" => config.deadline(seconds(name, value.extract()?).or_raise(py)?),
        "timers" => config.timers(timers(value)?),
        "ca_file" => config.ca_file(value.extract::<PathBuf>()?),
        "proxy" if value.is_instance_of::<PyBool>() && !value.is_truthy()? => config.no_proxy(),
        "proxy" => config.proxy(value.extract::<String>()?),
        "headers" => {
            let headers: BTreeMap<String, String> = value.extract()?;
            config.headers(headers)
        }
        "fetch" => config.fetch(value.extract()?),
        "retry_server_errors" => config.retry_server_errors(value.extract()?),
        "on_cancel" => match value.extract::<String>()?.as_str() {
            "keep" => config.abort_on_cancel(false),
            "abort" => config.abort_on_cancel(true),
            other => return Err(config_error(py, &format!("on_cancel: {other:?} is neither 'keep' nor 'abort'"))),
        },
        "salvage_max_bytes" => config.salvage_max_bytes(value.extract()?),
        "salvage_folder" => config.salvage_folder(value.extract::<PathBuf>()?),
        "budget" => config.budget(value.cast::<Budget>()?.get().core()),
        // An option of the binding, not of core.
        "exit_wait" => config,
        "max_image_bytes" => config.max_image_bytes(value.extract()?),
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
