//! The client that both of Python's clients have inside.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use gptimage_binding::{Order, Own};
use gptimage_core::{Config, Operation, SaveTo, seconds};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::background::background;
use crate::call::{Call, Outcome, outcome};
use crate::error::OrRaise;
use crate::image::{Image, Input};
use crate::options;

/// Core's client, made again in a forked child: what it inherited has no thread.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct Client {
    config: Config,
    /// Whether calls that are given up run on.
    collectable: bool,
    /// Only locked while attached, as [`background`]'s.
    client: Mutex<Arc<Own<gptimage_core::Client>>>,
}

impl Client {
    fn from_core(config: Config, client: gptimage_core::Client) -> Self {
        let collectable = !config.aborts_on_cancel();
        Self { config, collectable, client: Mutex::new(Arc::new(Own::new(client))) }
    }

    fn core(&self, py: Python<'_>) -> PyResult<gptimage_core::Client> {
        let mut own = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = own.get() {
            return Ok(client.clone());
        }
        let client = gptimage_core::Client::new(self.config.clone()).or_raise(py)?;
        *own = Arc::new(Own::new(client.clone()));
        Ok(client)
    }

    /// Runs something that is free and can be given up at any moment.
    fn run<F>(&self, py: Python<'_>, work: impl FnOnce(gptimage_core::Client) -> F) -> PyResult<Call>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let client = self.core(py)?;
        let work = work(client.clone());
        Ok(Call::new(&client, background(py)?, false, |runner| async move {
            let outcome = tokio::select! {
                outcome = work => outcome,
                () = runner.token().cancelled() => Outcome::Nothing,
            };
            runner.end(outcome);
        }))
    }
}

#[pymethods]
impl Client {
    #[new]
    fn new(py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let config = options::change(Config::from_env(), options)?;
        let client = gptimage_core::Client::new(config.clone()).or_raise(py)?;
        Ok(Self::from_core(config, client))
    }

    /// Where the API is, as settled.
    #[getter]
    fn base_url(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.core(py)?.base_url().to_owned())
    }

    /// A client of other options that shares what is kept for `collect`.
    fn with_options(&self, py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let config = options::change(self.config.clone(), options)?;
        let client = self.core(py)?.with_config(config.clone()).or_raise(py)?;
        Ok(Self::from_core(config, client))
    }

    /// A paid call.
    #[pyo3(signature = (operation, prompt, parameters, *, images, mask, extra, structural_rules, save_to, overwrite, deadline, max_attempts, fetch, observed))]
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn call(
        &self,
        py: Python<'_>,
        operation: &str,
        prompt: String,
        parameters: Vec<(String, String)>,
        images: Vec<Input>,
        mask: Option<Input>,
        extra: Option<&str>,
        structural_rules: bool,
        save_to: Option<PathBuf>,
        overwrite: bool,
        deadline: Option<f64>,
        max_attempts: Option<&Bound<'_, PyAny>>,
        fetch: Option<bool>,
        observed: bool,
    ) -> PyResult<Call> {
        let extra: Map<String, Value> = match extra {
            Some(extra) => serde_json::from_str(extra)
                .map_err(|error| PyValueError::new_err(format!("extra: must be a dict of JSON values: {error}")))?,
            None => Map::new(),
        };
        let operation = if operation == Operation::Edit.as_str() { Operation::Edit } else { Operation::Generate };
        let order = Order {
            parameters,
            extra,
            structural_rules,
            images: images.into_iter().map(|image| image.0).collect(),
            mask: mask.map(|mask| mask.0),
            save_to,
            overwrite,
            deadline: deadline.map(|deadline| seconds("deadline", deadline)).transpose().or_raise(py)?,
            max_attempts: max_attempts
                .map(|attempts| attempts.extract().map_err(|error| options::named(py, "max_attempts", error)))
                .transpose()?,
            fetch,
            ..Order::new(operation, prompt)
        };
        let client = self.core(py)?;
        let background = background(py)?;
        background.watch(client.watch());
        let sender = client.clone();
        Ok(Call::new(&client, background, self.collectable, move |runner| async move {
            let sent = order.send(&sender, runner.token(), observed.then(|| runner.teller())).await;
            runner.end(sent.map_or(Outcome::Nothing, Outcome::Generated));
        }))
    }

    /// A download, which is free.
    fn fetch(&self, py: Python<'_>, image: &Image, save_to: Option<PathBuf>, overwrite: bool) -> PyResult<Call> {
        let image = image.core().clone();
        self.run(py, |client| async move {
            Outcome::Fetched(match save_to {
                Some(path) => client.fetch_to(&image, SaveTo::from(path).overwrite(overwrite)).await,
                None => client.fetch(&image).await,
            })
        })
    }

    /// Asks what money is left.
    fn balance(&self, py: Python<'_>) -> PyResult<Call> {
        self.run(py, |client| async move { Outcome::Balance(client.balance().await) })
    }

    /// Waits until every call that runs on without its caller has ended, or the time is up.
    fn drain(&self, py: Python<'_>, limit: Option<f64>) -> PyResult<Call> {
        let limit = limit.map(|limit| seconds("timeout", limit)).transpose().or_raise(py)?;
        self.run(py, |client| async move {
            match limit {
                // Too late is no error: the caller sees what there is.
                Some(limit) => drop(timeout(limit, client.drain()).await),
                None => client.drain().await,
            }
            Outcome::Drained
        })
    }

    /// What became of calls whose callers were gone.
    fn collect<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        let client = self.core(py)?;
        while let Some(kept) = client.collect_one() {
            match outcome(py, &kept) {
                Ok(object) => list.append(object)?,
                Err(error) => {
                    client.keep(kept);
                    return Err(error);
                }
            }
        }
        Ok(list)
    }
}
