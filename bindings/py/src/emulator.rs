//! The core of `gptimage.Emulator`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gptimage_binding::ProcessLocal;
use gptimage_emulator::RecordedRequest;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::background::background;
use crate::convert::to_python;

/// How often waiting for the emulator checks for signals.
const SIGNAL_POLL_INTERVAL: Duration = Duration::from_millis(40);

/// A running emulator, on its own thread.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct Emulator {
    /// Only locked while attached. `None` once stopped.
    running: Mutex<Option<ProcessLocal<Arc<gptimage_emulator::Emulator>>>>,
}

/// Settings that are fixed at the start.
#[derive(Deserialize)]
struct Start {
    billing: String,
    balance: Option<String>,
    keys: Vec<String>,
    port: u16,
    keep_bodies: Option<usize>,
}

fn emulator_error(error: &gptimage_emulator::ParseError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Parses JSON written by Python.
fn object(json: &str) -> PyResult<Map<String, Value>> {
    serde_json::from_str(json).map_err(|error| PyValueError::new_err(error.to_string()))
}

impl Emulator {
    fn running(&self) -> PyResult<Arc<gptimage_emulator::Emulator>> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = running.as_ref() else { return Err(PyRuntimeError::new_err("this emulator was stopped")) };
        own.get().cloned().ok_or_else(|| {
            PyRuntimeError::new_err("this emulator runs in another process, of which this one is a fork; its url works")
        })
    }
}

#[pymethods]
impl Emulator {
    #[new]
    fn new(py: Python<'_>, start: &str, settings: &str, canned: Option<Vec<u8>>) -> PyResult<Self> {
        let Start { billing, balance, keys, port, keep_bodies } =
            serde_json::from_str(start).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let billing = billing.parse().map_err(|error| emulator_error(&error))?;
        let mut builder = gptimage_emulator::Emulator::builder()
            .billing(billing)
            .port(port)
            .set(object(settings)?)
            .map_err(|error| emulator_error(&error))?;
        if let Some(balance) = balance {
            builder = builder.balance_usd(balance);
        }
        if let Some(bytes) = keep_bodies {
            builder = builder.keep_bodies(bytes);
        }
        if let Some(picture) = canned {
            builder = builder.canned(picture);
        }
        builder = keys.into_iter().fold(builder, gptimage_emulator::EmulatorBuilder::key);
        let started = py.detach(|| builder.spawn()).map_err(|error| match error {
            gptimage_emulator::StartError::Io(error) => PyErr::from(error),
            error => PyValueError::new_err(error.to_string()),
        })?;
        Ok(Self { running: Mutex::new(Some(ProcessLocal::new(Arc::new(started)))) })
    }

    /// Returns `base_url`, `cdn_url`, `control_url` and `key`.
    fn addresses<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let emulator = self.running()?;
        let addresses = PyDict::new(py);
        addresses.set_item("base_url", emulator.base_url())?;
        addresses.set_item("cdn_url", emulator.cdn_url())?;
        addresses.set_item("control_url", emulator.control_url())?;
        addresses.set_item("key", emulator.key())?;
        Ok(addresses)
    }

    /// Scripts one fault or a list of faults.
    fn fault(&self, json: &str) -> PyResult<()> {
        let faults = serde_json::from_str(json).map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.running()?.fault_json(faults).map_err(|error| emulator_error(&error))
    }

    /// Removes all faults that have not happened.
    fn clear_faults(&self) -> PyResult<()> {
        self.running()?.clear_faults();
        Ok(())
    }

    /// Changes settings.
    fn set(&self, json: &str) -> PyResult<()> {
        self.running()?.set(object(json)?).map_err(|error| emulator_error(&error))
    }

    /// Waits until no request sent so far can change the ledger any more.
    fn wait_idle(&self, py: Python<'_>) -> PyResult<()> {
        let emulator = self.running()?;
        let (done, idle) = std::sync::mpsc::sync_channel(1);
        let task = background(py)?.runtime.spawn(async move {
            emulator.wait_idle().await;
            // An interrupted caller has dropped the receiver.
            let _ = done.send(());
        });
        let idle = Mutex::new(idle);
        loop {
            let waited = py.detach(|| {
                idle.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(SIGNAL_POLL_INTERVAL).is_err()
            });
            py.check_signals().inspect_err(|_| task.abort())?;
            if !waited {
                return Ok(());
            }
        }
    }

    /// Returns the ledger: one entry per charged call.
    fn ledger<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.running()?.ledger())
    }

    /// Returns the number of charged calls.
    fn charges(&self) -> PyResult<u64> {
        Ok(self.running()?.charges())
    }

    /// Returns the number of connections that the API accepted.
    fn connections(&self) -> PyResult<u64> {
        Ok(self.running()?.connections())
    }

    /// Returns the balance in US dollars.
    fn balance(&self) -> PyResult<String> {
        Ok(self.running()?.balance())
    }

    /// Returns the last requests.
    fn requests<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for request in self.running()?.requests() {
            list.append(request_to_dict(py, &request)?)?;
        }
        Ok(list)
    }

    /// Closes all ports and connections.
    fn stop(&self, py: Python<'_>) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let emulator = running.as_ref().and_then(ProcessLocal::get).cloned();
        drop(running);
        if let Some(emulator) = emulator {
            py.detach(|| emulator.stop_blocking());
        }
    }
}

fn request_to_dict<'py>(py: Python<'py>, request: &RecordedRequest) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("side", to_python(py, &request.side)?)?;
    dict.set_item("method", &request.method)?;
    dict.set_item("target", &request.target)?;
    dict.set_item("headers", &request.headers)?;
    dict.set_item("body", request.body.as_ref().map(|body| PyBytes::new(py, body)))?;
    dict.set_item("body_len", request.body_len)?;
    Ok(dict)
}
