//! The client that both of Python's clients have inside.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gptimage_binding::{Own, Runner};
use gptimage_core::{Config, EditRequest, Error, GenerateRequest, ImageInput, Operation, SaveTo, seconds};
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
    /// Only locked while attached, as [`background`]'s.
    client: Mutex<Arc<Own<gptimage_core::Client>>>,
}

impl Client {
    fn from_core(config: Config, client: gptimage_core::Client) -> Self {
        Self { config, client: Mutex::new(Arc::new(Own::new(client))) }
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
        let background = background(py)?;
        let (call, runner) = Call::new(&client, &background.notifier);
        let work = work(client);
        background.threads.spawn(async move {
            let outcome = tokio::select! {
                outcome = work => outcome,
                () = runner.token().cancelled() => Outcome::Nothing,
            };
            runner.end(outcome);
        });
        Ok(call)
    }
}

/// What the caller says of one call beside the request.
struct Terms {
    save_to: Option<SaveTo>,
    deadline: Option<Duration>,
    max_attempts: Option<u32>,
    fetch: Option<bool>,
}

enum Request {
    Generate(GenerateRequest),
    Edit(EditRequest),
}

/// Says the same to either builder.
macro_rules! fill {
    ($builder:expr, $parameters:expr, $extra:expr, $structural_rules:expr) => {{
        let mut builder = $builder;
        for (name, value) in &$parameters {
            builder = builder.set(name, value);
        }
        for (name, value) in $extra {
            builder = builder.extra(name, value);
        }
        builder.structural_rules($structural_rules)
    }};
}

#[pymethods]
impl Client {
    #[new]
    fn new(py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let config = options::config(options)?;
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
        let config = options::config(options)?;
        let client = self.core(py)?.with_config(config.clone()).or_raise(py)?;
        Ok(Self::from_core(config, client))
    }

    /// Starts a paid call.
    #[pyo3(signature = (operation, prompt, parameters, *, images, mask, extra, structural_rules, save_to, overwrite, deadline, max_attempts, fetch, observed))]
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn start(
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
        max_attempts: Option<u32>,
        fetch: Option<bool>,
        observed: bool,
    ) -> PyResult<Call> {
        let extra: Map<String, Value> = match extra {
            Some(extra) => serde_json::from_str(extra)
                .map_err(|error| PyValueError::new_err(format!("extra: must be a dict of JSON values: {error}")))?,
            None => Map::new(),
        };
        let terms = Terms {
            save_to: save_to.map(|path| SaveTo::from(path).overwrite(overwrite)),
            deadline: deadline.map(|deadline| seconds("deadline", deadline)).transpose().or_raise(py)?,
            max_attempts,
            fetch,
        };
        let operation = if operation == Operation::Edit.as_str() { Operation::Edit } else { Operation::Generate };
        // Looking at files and encoding pixels take time: for an edit, this runs where blocking is allowed.
        let build = move || -> Result<Request, Error> {
            if operation != Operation::Edit {
                let builder = fill!(GenerateRequest::builder(prompt), parameters, extra, structural_rules);
                return builder.build().map(Request::Generate);
            }
            let images = images.into_iter().map(Input::into_core).collect::<Result<Vec<ImageInput>, Error>>()?;
            let mut builder = fill!(EditRequest::builder(prompt, images), parameters, extra, structural_rules);
            if let Some(mask) = mask {
                builder = builder.mask(mask.into_core()?);
            }
            builder.build().map(Request::Edit)
        };
        let client = self.core(py)?;
        let background = background(py)?;
        let (call, runner) = Call::new(&client, &background.notifier);
        background.threads.spawn(async move {
            let built = async {
                match operation {
                    Operation::Edit => tokio::task::spawn_blocking(build).await.ok(),
                    _ => Some(build()),
                }
            };
            let built = tokio::select! {
                built = built => built,
                () = runner.token().cancelled() => None,
            };
            let outcome = match built {
                Some(Ok(request)) => Outcome::Generated(send(&client, &request, terms, &runner, observed).await),
                Some(Err(error)) => Outcome::Generated(Err(error)),
                None => Outcome::Nothing,
            };
            runner.end(outcome);
        });
        Ok(call)
    }

    /// Starts a download, which is free.
    fn fetch(&self, py: Python<'_>, image: &Image, save_to: Option<PathBuf>, overwrite: bool) -> PyResult<Call> {
        let image = image.core().clone();
        self.run(py, |client| async move {
            Outcome::Fetched(match save_to {
                Some(path) => client.fetch_to(&image, SaveTo::from(path).overwrite(overwrite)).await,
                None => client.fetch(&image).await,
            })
        })
    }

    /// Starts asking what money is left.
    fn balance(&self, py: Python<'_>) -> PyResult<Call> {
        self.run(py, |client| async move { Outcome::Balance(client.balance().await) })
    }

    /// Starts waiting until every call that runs on without its caller has ended, or the time is up.
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
        for kept in self.core(py)?.collect() {
            list.append(outcome(py, &kept)?)?;
        }
        Ok(list)
    }
}

async fn send(
    client: &gptimage_core::Client,
    request: &Request,
    terms: Terms,
    runner: &Runner<Outcome>,
    observed: bool,
) -> Result<gptimage_core::Generated, Error> {
    let mut call = match request {
        Request::Generate(request) => client.generate(request),
        Request::Edit(request) => client.edit(request),
    };
    call = call.cancel(runner.token());
    if let Some(to) = terms.save_to {
        call = call.save_to(to);
    }
    if let Some(deadline) = terms.deadline {
        call = call.deadline(deadline);
    }
    if let Some(attempts) = terms.max_attempts {
        call = call.max_attempts(attempts);
    }
    if let Some(fetch) = terms.fetch {
        call = call.fetch(fetch);
    }
    if observed {
        call = call.progress(runner.teller());
    }
    call.await
}
