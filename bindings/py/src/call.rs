//! A call on its way, waited for by a thread or by an event loop.
//!
//! Nothing here runs Python's code: at the interpreter's end CPython stops daemon threads in the middle of it, and must not
//! find frames of ours below.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gptimage_binding::{Job, JobState, TaskGuard};
use gptimage_core::{Balance, Charge, Client, Error, Generated, Reconciled};
use pyo3::exceptions::{PyGeneratorExit, PyRuntimeError};
use pyo3::prelude::*;

use crate::background::{Background, Exit};
use crate::convert::to_python;
use crate::facts::{error_facts, outcome_facts};
use crate::image::Image;
use crate::making::making;
use crate::notify::Notifier;
use crate::references::is_only;

/// A thread that may get signals looks for them this often.
const SIGNALS_EVERY: Duration = Duration::from_millis(40);

/// How long somebody who gives up waits to hear what it may cost.
const LAST_WORD: Duration = Duration::from_millis(100);

/// What a call ends in.
#[derive(Clone)]
pub(crate) enum Outcome {
    Generated(Result<Generated, Error>),
    Fetched(Result<gptimage_core::Image, Error>),
    Balance(Result<Balance, Error>),
    Reconciled(Result<Vec<Reconciled>, Error>),
    Drained,
    /// Given up before anything was sent.
    Nothing,
}

/// Leaves an outcome that nobody takes to `collect`.
fn keep(client: &Client, outcome: Outcome) {
    if let Outcome::Generated(outcome) = outcome {
        client.keep(outcome);
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

impl Price {
    fn is_free(self) -> bool {
        matches!(self, Self::Free | Self::Watching)
    }
}

/// A call, which begins when it is first waited for. Made by `Client`, waited for by `gptimage`'s clients.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct Call(Arc<InFlight>);

/// What a call is made of. The interpreter's end looks at it, too.
pub(crate) struct InFlight {
    job: Job<Outcome>,
    client: Client,
    background: &'static Background,
    price: Price,
    /// How long the interpreter's end waits for it.
    exit_wait: Duration,
    /// The thread that waits for it, by Python's number; 0: none has.
    waiter: AtomicU64,
    // None of these is held while Python runs.
    begin: Mutex<Option<Begin>>,
    /// An outcome that was taken, until it has arrived where it was meant to.
    taken: Mutex<Option<Outcome>>,
    /// The object that was made of it.
    delivered: Mutex<Option<Py<PyAny>>>,
    /// Whether the store has it already.
    kept: AtomicBool,
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
        exit_wait: Duration,
        work: impl FnOnce(TaskGuard<Outcome>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (job, guard) = Job::new(client, keep);
        let begin: Begin = Box::new(move || {
            let exit = if price.is_free() { None } else { Exit::begun_by_another_thread() };
            drop(background.threads.spawn(async move {
                if let Some(exit) = exit {
                    exit.survived().await;
                }
                work(guard).await;
            }));
        });
        Self(Arc::new(InFlight {
            job,
            client: client.clone(),
            background,
            price,
            exit_wait,
            waiter: AtomicU64::new(0),
            begin: Mutex::new(Some(begin)),
            taken: Mutex::default(),
            delivered: Mutex::default(),
            kept: AtomicBool::new(false),
            note: Mutex::default(),
        }))
    }

    /// The job, begun.
    fn job(&self, py: Python<'_>) -> PyResult<&Job<Outcome>> {
        if !self.0.job.is_own() {
            let text = "this call belongs to the process that started it, of which this one is a fork";
            return Err(PyRuntimeError::new_err(text));
        }
        if lock(&self.0.begin).is_some() {
            let waiter: u64 = py.import("_thread")?.call_method0("get_ident")?.extract()?;
            let Some(begin) = lock(&self.0.begin).take() else { return Ok(&self.0.job) };
            if !self.0.price.is_free() {
                self.0.waiter.store(waiter, Ordering::Relaxed);
                self.0.background.begins(&self.0);
            }
            begin();
        }
        Ok(&self.0.job)
    }
}

impl InFlight {
    fn notifier(&self) -> &Notifier {
        &self.background.notifier
    }

    pub(crate) fn exit_wait(&self) -> Duration {
        self.exit_wait
    }

    /// See the field.
    pub(crate) fn waiter(&self) -> u64 {
        self.waiter.load(Ordering::Relaxed)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.job.state() != JobState::Running
    }

    /// Whether an outcome waits for somebody, or was taken and has not arrived.
    pub(crate) fn is_outstanding(&self) -> bool {
        self.job.state() == JobState::Ended || (lock(&self.taken).is_some() && lock(&self.delivered).is_none())
    }

    /// Leaves a copy of an outcome that is outstanding to `collect`: the interpreter ends, and whoever waits for it with it.
    pub(crate) fn keep_outstanding(&self) {
        let mut taken = lock(&self.taken);
        if taken.is_none() {
            *taken = self.job.take();
        }
        let outcome = taken.clone().filter(|_| lock(&self.delivered).is_none());
        drop(taken);
        if let Some(outcome) = outcome {
            self.keep(outcome);
        }
    }

    /// Leaves the outcome to `collect`, once.
    fn keep(&self, outcome: Outcome) {
        if !self.kept.swap(true, Ordering::Relaxed) {
            keep(&self.client, outcome);
        }
    }

    /// Gives the call up, without losing what may be paid: what it yielded, or comes later, is kept for `collect`. A line that
    /// says how far it was, and the error that tells more. `told`: somebody is there to read them.
    fn abandon(&self, py: Python<'_>, patience: Duration, told: bool) -> (String, Option<Error>) {
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
                // What is given up on purpose, and told of, is not collected.
                if self.price == Price::Collectable || !told {
                    self.keep(Outcome::Generated(Err(error.clone())));
                }
                let mut note = error.message().to_owned();
                if error.charge() != Charge::NotCharged && self.price == Price::Collectable {
                    note.push_str("; client.collect() has what becomes of it");
                }
                (note, Some(error))
            }
            Ok(Outcome::Generated(Ok(made))) => {
                self.keep(Outcome::Generated(Ok(made)));
                ("the call had ended; client.collect() has its result".to_owned(), None)
            }
            Err(JobState::Running) if begun => {
                ("the call runs on and may be paid; client.collect() has what becomes of it".to_owned(), None)
            }
            Err(JobState::Taken) => ("the call had ended".to_owned(), None),
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
            let job = self.job(py)?;
            let limit = signals.then_some(SIGNALS_EVERY);
            let news = py.detach(|| job.wait_update(limit));
            if signals {
                py.check_signals()?;
            }
            if news {
                return Ok(job.state() != JobState::Running);
            }
        }
    }

    /// Calls `waker` once, from another thread, as soon as there is something new. False: nothing is called any more, for
    /// the interpreter is ending.
    fn notify(&self, py: Python<'_>, waker: Py<PyAny>) -> PyResult<bool> {
        let notifier = self.0.notifier().clone();
        self.job(py)?.notify(move || notifier.send(waker));
        Ok(!self.0.notifier().is_closed())
    }

    /// Whether the call has ended.
    fn done(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.job(py)?.state() != JobState::Running)
    }

    /// The last look at the call, if there was none since.
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.job(py)?.take_progress().map(|news| to_python(py, &news)).transpose()
    }

    /// What became of the call, in facts: its kind (`generated`, `error`, `image`, `balance`, `reconciled` or
    /// `nothing`) and what belongs to it.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let outcome = self.job(py)?.take();
        // Making objects may fail: the outcome has its place before that. At the interpreter's end it has it already.
        let outcome = outcome
            .map_or_else(|| lock(&self.0.taken).clone(), |outcome| lock(&self.0.taken).insert(outcome).clone().into());
        making(py, || {
            let nothing = py.None().into_bound(py);
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
            Ok(facts.into_pyobject(py)?.into_any())
        })
    }

    /// Hands the object over that was made of the facts. From here on the outcome is kept only if nobody gets it.
    fn deliver(&self, object: Py<PyAny>, py: Python<'_>) -> Py<PyAny> {
        *lock(&self.0.delivered) = Some(object.clone_ref(py));
        object
    }

    /// Gives the call up because of an exception, without losing what may be paid. What it may cost, in a line, and the facts
    /// of the error that says more. `None`: nobody is there to read it, or it is the error that was made of the call's outcome.
    fn explain<'py>(&self, py: Python<'py>, stopped: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        // Others may raise errors of ours, too: a signal's handler, for one.
        let own = lock(&self.0.delivered).take().is_some_and(|made| made.is(stopped));
        if own {
            drop(lock(&self.0.taken).take());
            return Ok(None);
        }
        if stopped.is_instance_of::<PyGeneratorExit>() {
            self.0.abandon(py, Duration::ZERO, false);
            return Ok(None);
        }
        let known = lock(&self.0.note).clone();
        if let Some(note) = known {
            return making(py, || Ok(Some((note, py.None()).into_pyobject(py)?.into_any())));
        }
        let (note, error) = self.0.abandon(py, LAST_WORD, true);
        *lock(&self.0.note) = Some(note.clone());
        // Where objects cannot be made the note still says what matters.
        let facts = error.and_then(|error| making(py, || error_facts(py, &error)).ok());
        making(py, || Ok(Some((note, facts).into_pyobject(py)?.into_any())))
    }
}

impl Drop for InFlight {
    /// An outcome did not arrive if nothing was made of it, or if nobody else has what was made of it.
    fn drop(&mut self) {
        let Some(outcome) = lock(&self.taken).take() else { return };
        let arrived = lock(&self.delivered)
            .take()
            .is_some_and(|object| Python::try_attach(|py| is_only(&object, py)) == Some(false));
        if !arrived {
            self.keep(outcome);
        }
    }
}
