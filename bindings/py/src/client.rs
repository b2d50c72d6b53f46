//! The core of both Python clients.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gptimage_binding::{CallSpec, Extra, ProcessLocal};
use gptimage_core::binding::seconds;
use gptimage_core::{Operation, SaveTo};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tokio::time::timeout;

use crate::background::background;
use crate::call::{CallHandle, CallKind, TaskResult};
use crate::convert::to_python;
use crate::error::OrRaise;
use crate::image::Image;
use crate::input::Input;
use crate::options::{self, Builder};
use crate::reconcile_target::ReconcileTarget;
use crate::sync::lock;
use crate::to_dict::Batch;

/// The core of both clients. Creates a new core client in a forked child, where the inherited one has no threads.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct Client {
    builder: Builder,
    /// The kind of its charged calls.
    kind: CallKind,
    /// How long exit waits for its calls.
    exit_wait: Duration,
    /// Only locked while attached.
    client: Mutex<ProcessLocal<gptimage_core::Client>>,
    /// The client whose store of kept outcomes all related clients share.
    family: Arc<Mutex<ProcessLocal<gptimage_core::Client>>>,
}

impl Client {
    fn from_core(
        builder: Builder,
        client: gptimage_core::Client,
        family: Arc<Mutex<ProcessLocal<gptimage_core::Client>>>,
        exit_wait: Duration,
    ) -> Self {
        let kind = if builder.aborts_on_cancel() { CallKind::PaidAborting } else { CallKind::Paid };
        Self { builder, kind, exit_wait, client: Mutex::new(ProcessLocal::new(client)), family }
    }

    fn core(&self, py: Python<'_>) -> PyResult<gptimage_core::Client> {
        let mut own = lock(&self.client);
        if let Some(client) = own.get() {
            return Ok(client.clone());
        }
        let mut family = lock(&self.family);
        let client = match family.get() {
            Some(relative) => relative.with_builder(self.builder.clone()).or_raise(py)?,
            None => self.builder.clone().build().or_raise(py)?,
        };
        if family.get().is_none() {
            *family = ProcessLocal::new(client.clone());
        }
        *own = ProcessLocal::new(client.clone());
        Ok(client)
    }

    /// Creates a free call, which can be cancelled at any point.
    fn run<F>(
        &self,
        py: Python<'_>,
        kind: CallKind,
        work: impl FnOnce(gptimage_core::Client) -> F,
    ) -> PyResult<CallHandle>
    where
        F: Future<Output = TaskResult> + Send + 'static,
    {
        let client = self.core(py)?;
        let work = work(client.clone());
        Ok(CallHandle::new(&client, background(py)?, kind, Duration::ZERO, |guard| async move {
            let outcome = tokio::select! {
                outcome = work => outcome,
                () = guard.token().cancelled() => TaskResult::Nothing,
            };
            guard.finish(outcome);
        }))
    }
}

#[pymethods]
impl Client {
    #[new]
    fn new(py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let builder = options::change(gptimage_core::Client::builder().read_env(), options)?;
        let exit_wait = options::exit_wait(py, options)?.unwrap_or_default();
        let client = builder.clone().build().or_raise(py)?;
        let family = Arc::new(Mutex::new(ProcessLocal::new(client.clone())));
        Ok(Self::from_core(builder, client, family, exit_wait))
    }

    /// The base URL of the API, after normalisation.
    #[getter]
    fn base_url(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.core(py)?.base_url().to_owned())
    }

    /// Returns a client with other options that shares the outcomes kept for `collect`.
    fn with_options(&self, py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let builder = options::change(self.builder.clone(), options)?;
        let exit_wait = options::exit_wait(py, options)?.unwrap_or(self.exit_wait);
        let client = self.core(py)?.with_builder(builder.clone()).or_raise(py)?;
        Ok(Self::from_core(builder, client, self.family.clone(), exit_wait))
    }

    /// Creates a charged call.
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
    ) -> PyResult<CallHandle> {
        let extra = match extra {
            Some(extra) => vec![
                Extra::parse(extra)
                    .map_err(|error| PyValueError::new_err(format!("extra: must be a dict of JSON values: {error}")))?,
            ],
            None => Vec::new(),
        };
        let operation = match operation.parse::<Operation>() {
            Ok(operation) => operation,
            Err(error) => return Err(PyValueError::new_err(error.to_string())),
        };
        let order = CallSpec {
            parameters,
            extra,
            structural_rules,
            images: images.into_iter().map(|image| image.0).collect(),
            mask: mask.map(|mask| mask.0),
            save_to,
            overwrite,
            deadline: deadline.map(|deadline| seconds("deadline", deadline)).transpose().or_raise(py)?,
            max_attempts: max_attempts
                .map(|attempts| attempts.extract().map_err(|error| options::name_argument(py, "max_attempts", error)))
                .transpose()?,
            fetch,
            ..CallSpec::new(operation, prompt)
        };
        let client = self.core(py)?;
        let background = background(py)?;
        background.register_client(client.in_flight(), self.exit_wait);
        let sender = client.clone();
        Ok(CallHandle::new(&client, background, self.kind, self.exit_wait, move |guard| async move {
            let sent = order.send(&sender, guard.token(), observed.then(|| guard.progress_observer())).await;
            guard.finish(sent.map_or(TaskResult::Nothing, TaskResult::Generated));
        }))
    }

    /// Creates a download, which is free.
    fn fetch(&self, py: Python<'_>, image: &Image, save_to: Option<PathBuf>, overwrite: bool) -> PyResult<CallHandle> {
        let image = image.core().clone();
        self.run(py, CallKind::Free, |client| async move {
            TaskResult::Fetched(match save_to {
                Some(path) => client.fetch_to(&image, SaveTo::from(path).overwrite(overwrite)).await,
                None => client.fetch(&image).await,
            })
        })
    }

    /// Creates a request for the account's balance.
    fn balance(&self, py: Python<'_>) -> PyResult<CallHandle> {
        self.run(py, CallKind::Free, |client| async move { TaskResult::Balance(client.balance().await) })
    }

    /// Creates a wait until every call without a caller has ended, or until the time limit.
    fn drain(&self, py: Python<'_>, limit: Option<f64>) -> PyResult<CallHandle> {
        let limit = limit.map(|limit| seconds("timeout", limit)).transpose().or_raise(py)?;
        self.run(py, CallKind::Drain, |client| async move {
            match limit {
                // A timeout is not an error.
                Some(limit) => drop(timeout(limit, client.drain()).await),
                None => client.drain().await,
            }
            TaskResult::Drained
        })
    }

    /// Takes the outcomes of calls whose callers were gone.
    fn collect(&self, py: Python<'_>) -> PyResult<Batch> {
        let client = self.core(py)?;
        background(py)?.with_files(py, move || Batch::new(client))
    }

    /// Returns the calls that may be charged and whose outcome nobody has received, as dicts.
    fn pending<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let client = self.core(py)?;
        to_python(py, &background(py)?.with_files(py, move || client.pending())?)
    }

    /// Creates a lookup of attempts in the vendor's usage log.
    fn reconcile(
        &self,
        py: Python<'_>,
        attempts: Vec<ReconcileTarget>,
        period: Option<String>,
        timeout: Option<f64>,
    ) -> PyResult<CallHandle> {
        let attempts = attempts.into_iter().map(|target| target.core(py)).collect::<PyResult<Vec<_>>>()?;
        let timeout = timeout.map(|timeout| seconds("timeout", timeout)).transpose().or_raise(py)?;
        self.run(py, CallKind::Free, |client| async move {
            let mut lookup = client.reconcile(attempts);
            if let Some(period) = period {
                lookup = lookup.period(period);
            }
            if let Some(timeout) = timeout {
                lookup = lookup.timeout(timeout);
            }
            TaskResult::Reconciled(lookup.send().await)
        })
    }
}
