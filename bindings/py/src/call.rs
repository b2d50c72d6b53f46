//! A call on its way: waited for by a thread or by an event loop, and given up without losing what was paid for.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gptimage_core::{Balance, CancelToken, Client, Error, ErrorKind, Generated, Progress};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::background::Own;
use crate::convert::{from_json, to_python};
use crate::error::{OrRaise, images, make};
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

enum Slot {
    Running,
    Done(Outcome),
    /// The caller has it. Until it has left our code, a copy of what was paid for is here.
    Taken(Option<Generated>),
    /// The caller is gone.
    Abandoned,
}

struct State {
    slot: Slot,
    progress: Option<Progress>,
    /// To be called when there is something new.
    waker: Option<Py<PyAny>>,
}

/// Between the call's task and its caller.
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    notifier: Notifier,
    client: Client,
    pub(crate) token: CancelToken,
}

impl Shared {
    pub(crate) fn new(client: Client, notifier: Notifier) -> Self {
        let state = State { slot: Slot::Running, progress: None, waker: None };
        Self { state: Mutex::new(state), changed: Condvar::new(), notifier, client, token: CancelToken::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is new: whoever waits is to look.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        if let Some(waker) = waker {
            self.notifier.send(Message::Call(waker));
        }
    }

    pub(crate) fn tell(&self, progress: &Progress) {
        let mut state = self.lock();
        state.progress = Some(progress.clone());
        self.wake(state);
    }

    pub(crate) fn end(&self, outcome: Outcome) {
        let mut state = self.lock();
        if matches!(state.slot, Slot::Abandoned) {
            drop(state);
            self.keep(outcome);
        } else {
            state.slot = Slot::Done(outcome);
            self.wake(state);
        }
    }

    /// Leaves an outcome that nobody takes to `collect`. What was cancelled runs on, and core keeps its result.
    fn keep(&self, outcome: Outcome) {
        match outcome {
            Outcome::Generated(Err(error)) if error.kind() == ErrorKind::Cancelled => {}
            Outcome::Generated(outcome) => self.client.keep(outcome),
            Outcome::Fetched(_) | Outcome::Balance(_) | Outcome::Drained | Outcome::Nothing => {}
        }
    }

    /// Waits for something new; false if the time ran out.
    fn wait(&self, limit: Option<Duration>) -> bool {
        let nothing_new = |state: &mut State| matches!(state.slot, Slot::Running) && state.progress.is_none();
        let state = self.lock();
        match limit {
            None => {
                let _state = self.changed.wait_while(state, nothing_new).unwrap_or_else(PoisonError::into_inner);
                true
            }
            Some(limit) => {
                let waited = self.changed.wait_timeout_while(state, limit, nothing_new);
                !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
            }
        }
    }

    /// As [`Shared::wait`], for the call's end.
    fn wait_end(&self, limit: Duration) {
        let running = |state: &mut State| matches!(state.slot, Slot::Running);
        let waited = self.changed.wait_timeout_while(self.lock(), limit, running);
        drop(waited);
    }
}

/// A call on its way. Made by `Client`, waited for by `gptimage`'s clients.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct Call {
    shared: Own<Arc<Shared>>,
}

impl Call {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared: Own::new(shared) }
    }

    fn shared(&self) -> PyResult<&Arc<Shared>> {
        self.shared.get().ok_or_else(|| {
            PyRuntimeError::new_err("this call belongs to the process that started it, of which this one is a fork")
        })
    }
}

#[pymethods]
impl Call {
    /// Waits until there is something new: progress, or the end. True: the end. `signals`: look for them meanwhile.
    fn wait(&self, py: Python<'_>, signals: bool) -> PyResult<bool> {
        let shared = self.shared()?;
        loop {
            let limit = signals.then_some(SIGNALS_EVERY);
            let news = py.detach(|| shared.wait(limit));
            if signals {
                py.check_signals()?;
            }
            if news {
                return Ok(!matches!(shared.lock().slot, Slot::Running));
            }
        }
    }

    /// Calls `waker` once, from another thread, as soon as there is something new.
    fn notify(&self, waker: Py<PyAny>) -> PyResult<()> {
        let shared = self.shared()?;
        let mut state = shared.lock();
        state.waker = Some(waker);
        if !matches!(state.slot, Slot::Running) || state.progress.is_some() {
            shared.wake(state);
        }
        Ok(())
    }

    /// Whether the call has ended.
    fn done(&self) -> PyResult<bool> {
        Ok(!matches!(self.shared()?.lock().slot, Slot::Running))
    }

    /// The last look at the call, if there was none since.
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let news = self.shared()?.lock().progress.take();
        news.map(|news| to_python(py, &news)).transpose()
    }

    /// Takes the result, or raises the error.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let shared = self.shared()?;
        let outcome = {
            let mut state = shared.lock();
            match std::mem::replace(&mut state.slot, Slot::Taken(None)) {
                Slot::Done(outcome) => {
                    if let Outcome::Generated(Ok(made)) = &outcome {
                        state.slot = Slot::Taken(Some(made.clone()));
                    }
                    outcome
                }
                other => {
                    state.slot = other;
                    return Err(PyRuntimeError::new_err("there is no result to take"));
                }
            }
        };
        match outcome {
            Outcome::Generated(made) => generated(py, &made.or_raise(py)?).map(Some),
            Outcome::Fetched(image) => Ok(Some(Image::new(image.or_raise(py)?).into_pyobject(py)?.into_any())),
            Outcome::Balance(balance) => to_python(py, &balance.or_raise(py)?).map(Some),
            Outcome::Drained | Outcome::Nothing => Ok(None),
        }
    }

    /// Says that the result has arrived where it was meant to: no copy is kept any longer.
    fn settle(&self) -> PyResult<()> {
        self.shared()?.lock().slot = Slot::Taken(None);
        Ok(())
    }

    /// Gives the call up, without losing what may be paid: what comes later is kept for `collect`. Says how far it was
    /// (`nothing`: nothing was sent; `ended`: its result is kept; `running`: it did not answer in time), with the error
    /// that tells more.
    fn abandon<'py>(&self, py: Python<'py>) -> PyResult<(&'static str, Option<Bound<'py, PyAny>>)> {
        let shared = self.shared()?;
        shared.token.cancel();
        py.detach(|| shared.wait_end(LAST_WORD));
        let slot = {
            let mut state = shared.lock();
            // The event loop that it belongs to may be closed by now.
            state.waker = None;
            std::mem::replace(&mut state.slot, Slot::Abandoned)
        };
        match slot {
            Slot::Running => Ok(("running", None)),
            Slot::Done(Outcome::Generated(Err(error))) => {
                let exception = make(py, &error)?;
                shared.keep(Outcome::Generated(Err(error)));
                Ok(("ended", Some(exception)))
            }
            Slot::Done(Outcome::Generated(Ok(made))) | Slot::Taken(Some(made)) => {
                shared.client.keep(Ok(made));
                Ok(("ended", None))
            }
            Slot::Done(_) | Slot::Taken(None) | Slot::Abandoned => Ok(("nothing", None)),
        }
    }
}

impl Drop for Call {
    /// Nobody waits any more, so the call goes the way of those that were given up.
    fn drop(&mut self) {
        let Some(shared) = self.shared.get() else { return };
        shared.token.cancel();
        let mut state = shared.lock();
        if let Slot::Done(outcome) = std::mem::replace(&mut state.slot, Slot::Abandoned) {
            drop(state);
            shared.keep(outcome);
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

/// Whether something is worth telling that ended without its caller.
pub(crate) fn outcome<'py>(py: Python<'py>, outcome: &Result<Generated, Error>) -> PyResult<Bound<'py, PyAny>> {
    match outcome {
        Ok(made) => generated(py, made),
        Err(error) => make(py, error),
    }
}
