//! A call on its way, waited for by a thread or by an event loop.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gptimage_binding::{Job, Runner, State};
use gptimage_core::{Balance, Client, Error, ErrorKind, Generated};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{from_json, to_python};
use crate::error::{OrRaise, images, internal, make};
use crate::image::Image;
use crate::notify::{Message, Notifier};

/// A thread that may get signals looks for them this often.
const SIGNALS_EVERY: Duration = Duration::from_millis(40);

/// How long somebody who gives up waits to hear what it may cost.
const LAST_WORD: Duration = Duration::from_millis(100);

/// What a call ends in.
pub(crate) enum Outcome {
    Generated(Result<Generated, Error>),
    Fetched(Result<gptimage_core::Image, Error>),
    Balance(Result<Balance, Error>),
    Drained,
    /// Given up before anything was sent.
    Nothing,
}

/// Leaves an outcome that nobody takes to `collect`. What was cancelled runs on, and core keeps its result.
fn keep(client: &Client, outcome: Outcome) {
    match outcome {
        Outcome::Generated(Err(error)) if error.kind() == ErrorKind::Cancelled => {}
        Outcome::Generated(outcome) => client.keep(outcome),
        Outcome::Fetched(_) | Outcome::Balance(_) | Outcome::Drained | Outcome::Nothing => {}
    }
}

/// A call on its way. Made by `Client`, waited for by `gptimage`'s clients.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct Call {
    job: Job<Outcome>,
    client: Client,
    notifier: Notifier,
    /// What was paid for and taken, until it has arrived where it was meant to. Only locked while attached.
    taken: Mutex<Option<Generated>>,
}

impl Call {
    /// Both ends of a call.
    pub(crate) fn new(client: &Client, notifier: &Notifier) -> (Self, Runner<Outcome>) {
        let keeper = client.clone();
        let (job, runner) = Job::new(move |outcome| keep(&keeper, outcome));
        let call = Self { job, client: client.clone(), notifier: notifier.clone(), taken: Mutex::new(None) };
        (call, runner)
    }

    fn own(&self) -> PyResult<&Job<Outcome>> {
        if self.job.is_own() {
            return Ok(&self.job);
        }
        Err(PyRuntimeError::new_err("this call belongs to the process that started it, of which this one is a fork"))
    }

    fn set_taken(&self, made: Option<Generated>) -> Option<Generated> {
        std::mem::replace(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner), made)
    }
}

#[pymethods]
impl Call {
    /// Waits until there is something new: progress, or the end. True: the end. `signals`: look for them meanwhile.
    fn wait(&self, py: Python<'_>, signals: bool) -> PyResult<bool> {
        let job = self.own()?;
        loop {
            let limit = signals.then_some(SIGNALS_EVERY);
            let news = py.detach(|| job.wait_news(limit));
            if signals {
                py.check_signals()?;
            }
            if news {
                return Ok(job.state() != State::Running);
            }
        }
    }

    /// Calls `waker` once, from another thread, as soon as there is something new.
    fn notify(&self, waker: Py<PyAny>) -> PyResult<()> {
        let notifier = self.notifier.clone();
        self.own()?.notify(move || notifier.send(Message::Call(waker)));
        Ok(())
    }

    /// Whether the call has ended.
    fn done(&self) -> PyResult<bool> {
        Ok(self.own()?.state() != State::Running)
    }

    /// The last look at the call, if there was none since.
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.own()?.news().map(|news| to_python(py, &news)).transpose()
    }

    /// Takes the result, or raises the error.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let outcome = self.own()?.take().ok_or_else(|| internal(py, &"a call ended without a result"))?;
        match outcome {
            Outcome::Generated(made) => {
                let made = made.or_raise(py)?;
                self.set_taken(Some(made.clone()));
                generated(py, &made).map(Some)
            }
            Outcome::Fetched(image) => Ok(Some(Image::new(image.or_raise(py)?).into_pyobject(py)?.into_any())),
            Outcome::Balance(balance) => to_python(py, &balance.or_raise(py)?).map(Some),
            Outcome::Drained | Outcome::Nothing => Ok(None),
        }
    }

    /// Says that the result has arrived where it was meant to: no copy is kept any longer.
    fn settle(&self) {
        self.set_taken(None);
    }

    /// Gives the call up, without losing what may be paid: what comes later is kept for `collect`. Says how far it was
    /// (`nothing`: nothing was sent; `ended`: its result is kept; `running`: it did not answer in time), with the error
    /// that tells more.
    fn abandon<'py>(&self, py: Python<'py>) -> PyResult<(&'static str, Option<Bound<'py, PyAny>>)> {
        let job = self.own()?;
        match py.detach(|| job.abandon(LAST_WORD)) {
            Ok(Outcome::Generated(Err(error))) => {
                let exception = make(py, &error)?;
                keep(&self.client, Outcome::Generated(Err(error)));
                Ok(("ended", Some(exception)))
            }
            Ok(Outcome::Generated(Ok(made))) => {
                self.client.keep(Ok(made));
                Ok(("ended", None))
            }
            Err(State::Taken) => match self.set_taken(None) {
                Some(made) => {
                    self.client.keep(Ok(made));
                    Ok(("ended", None))
                }
                None => Ok(("nothing", None)),
            },
            Err(State::Running) => Ok(("running", None)),
            Ok(_) | Err(State::Ended | State::Lost) => Ok(("nothing", None)),
        }
    }
}

/// A result as `gptimage.Generated`.
pub(crate) fn generated<'py>(py: Python<'py>, generated: &Generated) -> PyResult<Bound<'py, PyAny>> {
    let facts = to_python(py, generated)?;
    facts.set_item("images", PyList::new(py, images(generated.images()))?.to_tuple())?;
    facts.set_item("response", from_json(py, generated.response())?)?;
    py.import("gptimage.generated")?.getattr("Generated")?.call1((facts,))
}

/// What became of a call, as an object.
pub(crate) fn outcome<'py>(py: Python<'py>, outcome: &Result<Generated, Error>) -> PyResult<Bound<'py, PyAny>> {
    match outcome {
        Ok(made) => generated(py, made),
        Err(error) => make(py, error),
    }
}
