//! A call on its way, waited for by a thread or by an event loop.
//!
//! Nothing here runs Python's code: at the interpreter's end CPython stops daemon threads in the middle of it, and must not
//! find frames of ours below.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gptimage_binding::{Job, Runner, State};
use gptimage_core::{Balance, Charge, Client, Error, ErrorKind, Generated, Reconciled};
use pyo3::exceptions::{PyGeneratorExit, PyRuntimeError};
use pyo3::prelude::*;

use crate::background::Background;
use crate::convert::to_python;
use crate::facts::{error_facts, outcome_facts};
use crate::image::Image;
use crate::notify::{Message, Notifier};
use crate::references::is_only;

/// A thread that may get signals looks for them this often.
const SIGNALS_EVERY: Duration = Duration::from_millis(40);

/// How long somebody who gives up waits to hear what it may cost.
const LAST_WORD: Duration = Duration::from_millis(100);

/// What a call ends in.
pub(crate) enum Outcome {
    Generated(Result<Generated, Error>),
    Fetched(Result<gptimage_core::Image, Error>),
    Balance(Result<Balance, Error>),
    Reconciled(Result<Vec<Reconciled>, Error>),
    Drained,
    /// Given up before anything was sent.
    Nothing,
}

/// Leaves an outcome that nobody takes to `collect`. What was cancelled runs on, and core keeps its result.
fn keep(client: &Client, outcome: Outcome) {
    match outcome {
        Outcome::Generated(Err(error)) if error.kind() == ErrorKind::Cancelled => {}
        Outcome::Generated(outcome) => client.keep(outcome),
        Outcome::Fetched(_) | Outcome::Balance(_) | Outcome::Reconciled(_) | Outcome::Drained | Outcome::Nothing => {}
    }
}

/// Begins a call.
type Begin = Box<dyn FnOnce() + Send>;

/// What a call may cost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Price {
    Free,
    /// Free, and about calls that are not.
    Watching,
    /// What is given up can be collected.
    Collectable,
    /// What is given up is given up.
    Aborted,
}

/// A call, which begins when it is first waited for. Made by `Client`, waited for by `gptimage`'s clients.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct Call {
    job: Job<Outcome>,
    client: Client,
    notifier: Notifier,
    price: Price,
    // None of these is held while Python runs.
    begin: Mutex<Option<Begin>>,
    /// An outcome that was taken, until it has arrived where it was meant to.
    taken: Mutex<Option<Outcome>>,
    /// The object that was made of it.
    delivered: Mutex<Option<Py<PyAny>>>,
    /// What was said when the call was given up.
    note: Mutex<Option<String>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Call {
    /// A call that `work` does, once it begins.
    pub(crate) fn new<F>(
        client: &Client,
        background: &'static Background,
        price: Price,
        work: impl FnOnce(Runner<Outcome>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let keeper = client.clone();
        let (job, runner) = Job::new(move |outcome| keep(&keeper, outcome));
        let begin: Begin = Box::new(move || drop(background.threads.spawn(work(runner))));
        Self {
            job,
            client: client.clone(),
            notifier: background.notifier.clone(),
            price,
            begin: Mutex::new(Some(begin)),
            taken: Mutex::default(),
            delivered: Mutex::default(),
            note: Mutex::default(),
        }
    }

    /// The job, begun.
    fn job(&self) -> PyResult<&Job<Outcome>> {
        if !self.job.is_own() {
            let text = "this call belongs to the process that started it, of which this one is a fork";
            return Err(PyRuntimeError::new_err(text));
        }
        if let Some(begin) = lock(&self.begin).take() {
            begin();
        }
        Ok(&self.job)
    }

    /// Gives the call up, without losing what may be paid: what comes later is kept for `collect`. A line that says how far
    /// it was, and the error that tells more.
    fn abandon(&self, py: Python<'_>, patience: Duration) -> (String, Option<Error>) {
        let begun = lock(&self.begin).take().is_none();
        let ended = py.detach(|| self.job.abandon(if begun { patience } else { Duration::ZERO }));
        let outcome = lock(&self.taken).take().map_or(ended, Ok);
        match self.price {
            Price::Free => return ("nothing was charged".to_owned(), None),
            Price::Watching => {
                return ("the calls go on; client.collect() has what becomes of them".to_owned(), None);
            }
            Price::Collectable | Price::Aborted => {}
        }
        match outcome {
            Ok(Outcome::Generated(Err(error))) => {
                let mut note = error.message().to_owned();
                if error.charge() != Charge::NotCharged && self.price == Price::Collectable {
                    note.push_str("; client.collect() has what becomes of it");
                }
                (note, Some(error))
            }
            Ok(Outcome::Generated(Ok(made))) => {
                self.client.keep(Ok(made));
                ("the call had ended; client.collect() has its result".to_owned(), None)
            }
            Err(State::Running) if begun => {
                ("the call runs on and may be paid; client.collect() has what becomes of it".to_owned(), None)
            }
            Err(State::Taken) => ("the call had ended".to_owned(), None),
            _ => ("nothing had been sent, and nothing was charged".to_owned(), None),
        }
    }
}

#[pymethods]
impl Call {
    /// Waits until there is something new: progress, or the end. True: the end. `signals`: looks for them meanwhile.
    fn wait(&self, py: Python<'_>, signals: bool) -> PyResult<bool> {
        loop {
            // A signal's handler may have forked: the call is its parent's.
            let job = self.job()?;
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

    /// Calls `waker` once, from another thread, as soon as there is something new. False: nothing is called any more, for
    /// the interpreter is ending.
    fn notify(&self, waker: Py<PyAny>) -> PyResult<bool> {
        let notifier = self.notifier.clone();
        self.job()?.notify(move || notifier.send(Message::Call(waker)));
        Ok(!self.notifier.is_closed())
    }

    /// Whether the call has ended.
    fn done(&self) -> PyResult<bool> {
        Ok(self.job()?.state() != State::Running)
    }

    /// The last look at the call, if there was none since.
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.job()?.news().map(|news| to_python(py, &news)).transpose()
    }

    /// What became of the call, in facts: its kind (`generated`, `error`, `image`, `balance`, `reconciled` or
    /// `nothing`) and what belongs to
    /// it.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
        let nothing = py.None().into_bound(py);
        let outcome = self.job()?.take();
        let facts = match &outcome {
            None => ("lost", nothing),
            Some(Outcome::Generated(outcome)) => outcome_facts(py, outcome)?,
            Some(Outcome::Fetched(Ok(image))) => ("image", Image::new(image.clone()).into_pyobject(py)?.into_any()),
            Some(Outcome::Balance(Ok(balance))) => ("balance", to_python(py, balance)?),
            Some(Outcome::Reconciled(Ok(reconciled))) => ("reconciled", to_python(py, reconciled)?),
            Some(Outcome::Fetched(Err(error)) | Outcome::Balance(Err(error)) | Outcome::Reconciled(Err(error))) => {
                ("error", error_facts(py, error)?)
            }
            Some(Outcome::Drained | Outcome::Nothing) => ("nothing", nothing),
        };
        *lock(&self.taken) = outcome;
        Ok(facts)
    }

    /// Hands the object over that was made of the facts. From here on the outcome is kept only if nobody gets it.
    fn deliver(&self, object: Py<PyAny>, py: Python<'_>) -> Py<PyAny> {
        *lock(&self.delivered) = Some(object.clone_ref(py));
        object
    }

    /// Gives the call up because of an exception, without losing what may be paid. What it may cost, in a line, and the facts
    /// of the error that says more. `None`: nobody is there to read it, or it is the error that was made of the call's outcome.
    fn explain<'py>(
        &self,
        py: Python<'py>,
        stopped: &Bound<'py, PyAny>,
    ) -> PyResult<Option<(String, Option<Bound<'py, PyAny>>)>> {
        // Others may raise errors of ours, too: a signal's handler, for one.
        let own = lock(&self.delivered).take().is_some_and(|made| made.is(stopped));
        if own {
            drop(lock(&self.taken).take());
            return Ok(None);
        }
        if stopped.is_instance_of::<PyGeneratorExit>() {
            let (_, error) = self.abandon(py, Duration::ZERO);
            if let Some(error) = error {
                keep(&self.client, Outcome::Generated(Err(error)));
            }
            return Ok(None);
        }
        let known = lock(&self.note).clone();
        if let Some(note) = known {
            return Ok(Some((note, None)));
        }
        let (note, error) = self.abandon(py, LAST_WORD);
        *lock(&self.note) = Some(note.clone());
        let facts = error.as_ref().map(|error| error_facts(py, error)).transpose();
        if let Some(error) = error {
            keep(&self.client, Outcome::Generated(Err(error)));
        }
        Ok(Some((note, facts?)))
    }
}

impl Drop for Call {
    /// An outcome did not arrive if nothing was made of it, or if nobody else has what was made of it.
    fn drop(&mut self) {
        let Some(outcome) = lock(&self.taken).take() else { return };
        let arrived = lock(&self.delivered)
            .take()
            .is_some_and(|object| Python::try_attach(|py| is_only(&object, py)) == Some(false));
        if !arrived {
            keep(&self.client, outcome);
        }
    }
}
