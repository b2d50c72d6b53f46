//! A call on its way, waited for by a thread or by an event loop.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gptimage_binding::{Job, Runner, State};
use gptimage_core::{Balance, Charge, Client, Error, ErrorKind, Generated};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::background::Background;
use crate::convert::{from_json, to_python};
use crate::error::{OrRaise, images, internal, make};
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

/// Begins a call.
type Begin = Box<dyn FnOnce() + Send>;

/// A call, which begins when it is first waited for. Made by `Client`, waited for by `gptimage`'s clients.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct Call {
    job: Job<Outcome>,
    client: Client,
    notifier: Notifier,
    /// Whether what is given up can be collected.
    collectable: bool,
    // None of these is held while Python runs.
    begin: Mutex<Option<Begin>>,
    /// A result that was taken, and the object that was made of it.
    taken: Mutex<Option<(Generated, Py<PyAny>)>>,
    /// What was said when the call was given up.
    note: Mutex<Option<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Call {
    /// A call that `work` does, once it begins.
    pub(crate) fn new<F>(
        client: &Client,
        background: &'static Background,
        collectable: bool,
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
            collectable,
            begin: Mutex::new(Some(begin)),
            taken: Mutex::new(None),
            note: Mutex::new(None),
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
    fn abandon<'py>(&self, py: Python<'py>) -> PyResult<(String, Option<Bound<'py, PyAny>>)> {
        let begun = lock(&self.begin).take().is_none();
        let outcome = py.detach(|| self.job.abandon(if begun { LAST_WORD } else { Duration::ZERO }));
        let ended = "the call had ended; client.collect() has its result";
        let taken = lock(&self.taken).take();
        let (note, error) = match (outcome, taken) {
            (Ok(Outcome::Generated(Err(error))), _) => {
                let mut note = error.message().to_owned();
                if error.charge() != Charge::NotCharged && self.collectable {
                    note.push_str("; client.collect() has what becomes of it");
                }
                let exception = make(py, &error)?;
                keep(&self.client, Outcome::Generated(Err(error)));
                (note, Some(exception))
            }
            (Ok(Outcome::Generated(Ok(made))), _) | (Err(State::Taken), Some((made, _))) => {
                self.client.keep(Ok(made));
                (ended.to_owned(), None)
            }
            (Err(State::Running), _) if begun => {
                ("the call runs on and may be paid; client.collect() has what becomes of it".to_owned(), None)
            }
            (Err(State::Taken), None) => (ended.to_owned(), None),
            _ => ("nothing had been sent, and nothing was charged".to_owned(), None),
        };
        Ok((note, error))
    }
}

#[pymethods]
impl Call {
    /// Waits for the result, or raises the error; `show` hears of progress. `signals`: looks for them meanwhile.
    fn result<'py>(
        &self,
        py: Python<'py>,
        signals: bool,
        show: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let job = self.job()?;
        loop {
            let limit = signals.then_some(SIGNALS_EVERY);
            let news = py.detach(|| job.wait_news(limit));
            if signals {
                py.check_signals()?;
            }
            // The end first: a last look at it may come between.
            let ended = job.state() != State::Running;
            if let (Some(show), true) = (&show, news) {
                show.call1((self.progress(py)?,))?;
            }
            if ended {
                return self.take(py);
            }
        }
    }

    /// Calls `waker` once, from another thread, as soon as there is something new.
    fn notify(&self, waker: Py<PyAny>) -> PyResult<()> {
        let notifier = self.notifier.clone();
        self.job()?.notify(move || notifier.send(Message::Call(waker)));
        Ok(())
    }

    /// Whether the call has ended.
    fn done(&self) -> PyResult<bool> {
        Ok(self.job()?.state() != State::Running)
    }

    /// The last look at the call, if there was none since.
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.job()?.news().map(|news| to_python(py, &news)).transpose()
    }

    /// Takes the result, or raises the error.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let outcome = self.job()?.take().ok_or_else(|| internal(py, &"a call ended without a result"))?;
        match outcome {
            Outcome::Generated(made) => {
                let made = made.or_raise(py)?;
                let object = generated(py, &made).inspect_err(|_| self.client.keep(Ok(made.clone())))?;
                *lock(&self.taken) = Some((made, object.clone().unbind()));
                Ok(Some(object))
            }
            Outcome::Fetched(image) => Ok(Some(Image::new(image.or_raise(py)?).into_pyobject(py)?.into_any())),
            Outcome::Balance(balance) => to_python(py, &balance.or_raise(py)?).map(Some),
            Outcome::Drained | Outcome::Nothing => Ok(None),
        }
    }

    /// Gives the call up because of an exception, without losing what may be paid, and says on the exception what it may
    /// cost.
    fn explain(&self, py: Python<'_>, stopped: &Bound<'_, PyAny>) -> PyResult<()> {
        let known = lock(&self.note).clone();
        let note = match known {
            Some(note) => note,
            None => {
                let (note, error) = self.abandon(py)?;
                if let Some(error) = error {
                    stopped.setattr("__cause__", error)?;
                }
                *lock(&self.note) = Some(note.clone());
                note
            }
        };
        stopped.call_method1("add_note", (format!("gptimage: {note}"),))?;
        Ok(())
    }
}

impl Drop for Call {
    /// A result that was made an object, which nobody else has, did not arrive: an exception came between.
    fn drop(&mut self) {
        if let Some((made, object)) = lock(&self.taken).take()
            && Python::try_attach(|py| is_only(&object, py)) == Some(true)
        {
            self.client.keep(Ok(made));
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
