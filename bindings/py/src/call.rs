//! A running call that a thread or an event loop waits for.
//!
//! Nothing here runs Python code: at exit CPython may stop daemon threads while they run Python code, and there must be
//! no Rust frames on their stack then.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use gptimage_binding::{Job, JobState, TaskGuard};
use gptimage_core::{Balance, Charge, Client, Error, Generated, Reconciled};
use pyo3::exceptions::{PyGeneratorExit, PyRuntimeError};
use pyo3::prelude::*;

use crate::background::{Background, Exit, PaidCall};
use crate::convert::to_python;
use crate::image::Image;
use crate::memory::catch_memory_error;
use crate::references::is_only;
use crate::sync::lock;
use crate::to_dict::{error_to_dict, result_to_dict};
use crate::wakeup::WakeupThread;

/// How often the main thread checks for signals while it waits.
const SIGNAL_POLL_INTERVAL: Duration = Duration::from_millis(40);

/// How long abandoning a call waits for its outcome.
const ABANDON_TIMEOUT: Duration = Duration::from_millis(100);

/// The outcome of a call of any kind.
#[derive(Clone)]
pub(crate) enum TaskResult {
    Generated(Result<Generated, Error>),
    Fetched(Result<gptimage_core::Image, Error>),
    Balance(Result<Balance, Error>),
    Reconciled(Result<Vec<Reconciled>, Error>),
    Drained,
    /// Cancelled before anything was sent.
    Nothing,
}

/// Stores an outcome that nobody took, so that a later `collect` returns it.
fn keep(client: &Client, outcome: TaskResult) {
    if let TaskResult::Generated(outcome) = outcome {
        client.keep(outcome);
    }
}

/// The function that starts a call.
type Begin = Box<dyn FnOnce() + Send>;

/// How a call is treated when it is abandoned, and at exit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    Free,
    /// A wait for charged calls; free itself.
    Drain,
    /// A charged call that can be collected after it was abandoned.
    Paid,
    /// A charged call that is aborted when it is abandoned.
    PaidAborting,
}

impl CallKind {
    fn is_free(self) -> bool {
        matches!(self, Self::Free | Self::Drain)
    }
}

/// A call, which starts when it is first waited for. Created by `Client`, waited for by `gptimage`'s clients.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct CallHandle(Arc<InFlight>);

/// The state of a call, which exit reads too.
pub(crate) struct InFlight {
    job: Job<TaskResult>,
    client: Client,
    background: &'static Background,
    kind: CallKind,
    /// How long exit waits for the call.
    exit_wait: Duration,
    /// Python's number of the thread that waits for the call; 0 if none does.
    waiter: AtomicU64,
    // None of these locks is held while Python code runs.
    begin: Mutex<Option<Begin>>,
    /// An outcome that was taken, until its object has been delivered.
    taken: Mutex<Option<TaskResult>>,
    /// The object that was made from the outcome.
    delivered: Mutex<Option<Py<PyAny>>>,
    /// Whether the outcome was put into the store.
    kept: AtomicBool,
    /// The message of a previous `abandon`.
    note: Mutex<Option<String>>,
}

impl CallHandle {
    /// Creates a call whose task is `work`, once it starts.
    pub(crate) fn new<F>(
        client: &Client,
        background: &'static Background,
        kind: CallKind,
        exit_wait: Duration,
        work: impl FnOnce(TaskGuard<TaskResult>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (job, guard) = Job::new(client, keep);
        let begin: Begin = Box::new(move || {
            let exit = if kind.is_free() { None } else { Exit::begun_by_another_thread() };
            drop(background.runtime.spawn(async move {
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
            kind,
            exit_wait,
            waiter: AtomicU64::new(0),
            begin: Mutex::new(Some(begin)),
            taken: Mutex::default(),
            delivered: Mutex::default(),
            kept: AtomicBool::new(false),
            note: Mutex::default(),
        }))
    }

    /// Returns the job. Starts it if necessary.
    fn job(&self, py: Python<'_>) -> PyResult<&Job<TaskResult>> {
        if !self.0.job.is_own() {
            let text = "this call belongs to the process that started it, of which this one is a fork";
            return Err(PyRuntimeError::new_err(text));
        }
        if lock(&self.0.begin).is_some() {
            let waiter: u64 = py.import("_thread")?.call_method0("get_ident")?.extract()?;
            let Some(begin) = lock(&self.0.begin).take() else { return Ok(&self.0.job) };
            if !self.0.kind.is_free() {
                self.0.waiter.store(waiter, Ordering::Relaxed);
                self.0.background.begins(Arc::downgrade(&self.0) as Weak<dyn PaidCall>);
            }
            begin();
        }
        Ok(&self.0.job)
    }
}

impl InFlight {
    fn wakeups(&self) -> &WakeupThread {
        &self.background.wakeups
    }

    /// Puts the outcome back for `collect`, once.
    fn keep(&self, outcome: TaskResult) {
        if !self.kept.swap(true, Ordering::Relaxed) {
            keep(&self.client, outcome);
        }
    }

    /// Abandons the call without losing what may be charged: its outcome is stored for `collect`. Returns a line that
    /// says how far the call was, and the error with details. `reported` says whether the caller will see them.
    fn abandon(&self, py: Python<'_>, timeout: Duration, reported: bool) -> (String, Option<Error>) {
        let begun = lock(&self.begin).take().is_none();
        let ended = py.detach(|| self.job.abandon(if begun { timeout } else { Duration::ZERO }));
        let outcome = lock(&self.taken).take().map_or(ended, Ok);
        match self.kind {
            CallKind::Free => return ("nothing was charged".to_owned(), None),
            CallKind::Drain => {
                return ("the calls go on; client.collect() has what becomes of them".to_owned(), None);
            }
            CallKind::Paid | CallKind::PaidAborting => {}
        }
        match outcome {
            Ok(TaskResult::Generated(Err(error))) => {
                // An error of a call that was aborted on purpose and reported is not collected.
                if self.kind == CallKind::Paid || !reported {
                    self.keep(TaskResult::Generated(Err(error.clone())));
                }
                let mut note = error.message().to_owned();
                if error.charge() != Charge::NotCharged && self.kind == CallKind::Paid {
                    note.push_str("; client.collect() has what becomes of it");
                }
                (note, Some(error))
            }
            Ok(TaskResult::Generated(Ok(made))) => {
                self.keep(TaskResult::Generated(Ok(made)));
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

impl PaidCall for InFlight {
    fn exit_wait(&self) -> Duration {
        self.exit_wait
    }

    fn waiter(&self) -> u64 {
        self.waiter.load(Ordering::Relaxed)
    }

    fn has_ended(&self) -> bool {
        self.job.state() != JobState::Running
    }

    fn is_outstanding(&self) -> bool {
        self.job.state() == JobState::Ended || (lock(&self.taken).is_some() && lock(&self.delivered).is_none())
    }

    fn keep_outstanding(&self) {
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
}

#[pymethods]
impl CallHandle {
    /// Waits until there is new progress or the call has ended. Returns whether it has ended. `signals`: check for
    /// signals meanwhile.
    fn wait(&self, py: Python<'_>, signals: bool) -> PyResult<bool> {
        loop {
            // A signal handler may have forked: then the call belongs to the parent.
            let job = self.job(py)?;
            let limit = signals.then_some(SIGNAL_POLL_INTERVAL);
            let news = py.detach(|| job.wait_update(limit));
            if signals {
                py.check_signals()?;
            }
            if news {
                return Ok(job.state() != JobState::Running);
            }
        }
    }

    /// Registers a function that is called once, from another thread, as soon as there is something new. Returns False
    /// if it will not be called because the interpreter is exiting.
    fn set_waker(&self, py: Python<'_>, waker: Py<PyAny>) -> PyResult<bool> {
        let wakeups = self.0.wakeups().clone();
        self.job(py)?.set_waker(move || wakeups.send(waker));
        Ok(!self.0.wakeups().is_closed())
    }

    /// Returns whether the call has ended.
    fn done(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.job(py)?.state() != JobState::Running)
    }

    /// Takes the latest progress, if there is any since the last call.
    fn progress<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.job(py)?.take_progress().map(|news| to_python(py, &news)).transpose()
    }

    /// Takes the outcome of the call: its kind (`generated`, `error`, `image`, `balance`, `reconciled`, `nothing` or
    /// `lost`) and its value as a dict or object.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let outcome = self.job(py)?.take();
        // Store the outcome first, because creating objects may fail. At exit it is stored already.
        let outcome = outcome
            .map_or_else(|| lock(&self.0.taken).clone(), |outcome| lock(&self.0.taken).insert(outcome).clone().into());
        catch_memory_error(py, || {
            let nothing = py.None().into_bound(py);
            let fields = match &outcome {
                None => ("lost", nothing),
                Some(TaskResult::Generated(outcome)) => result_to_dict(py, outcome)?,
                Some(TaskResult::Fetched(Ok(image))) => {
                    ("image", Image::new(image.clone()).into_pyobject(py)?.into_any())
                }
                Some(TaskResult::Balance(Ok(balance))) => ("balance", to_python(py, balance)?),
                Some(TaskResult::Reconciled(Ok(reconciled))) => ("reconciled", to_python(py, reconciled)?),
                Some(
                    TaskResult::Fetched(Err(error))
                    | TaskResult::Balance(Err(error))
                    | TaskResult::Reconciled(Err(error)),
                ) => ("error", error_to_dict(py, error)?),
                Some(TaskResult::Drained | TaskResult::Nothing) => ("nothing", nothing),
            };
            Ok(fields.into_pyobject(py)?.into_any())
        })
    }

    /// Registers the object that was made from the outcome. From now on the outcome is put back for `collect` only if
    /// nobody receives that object.
    fn mark_delivered(&self, object: Py<PyAny>, py: Python<'_>) -> Py<PyAny> {
        *lock(&self.0.delivered) = Some(object.clone_ref(py));
        object
    }

    /// Abandons the call because of an exception, without losing what may be charged. Waits briefly for its end.
    /// Returns a line that says what the call may cost, and the dict of an error with details; `None` if nobody can
    /// read them, or if the exception is the call's own error.
    fn abandon<'py>(&self, py: Python<'py>, stopped: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        // The exception may be an error of another call, for example from a signal handler.
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
            return catch_memory_error(py, || Ok(Some((note, py.None()).into_pyobject(py)?.into_any())));
        }
        let (note, error) = self.0.abandon(py, ABANDON_TIMEOUT, true);
        *lock(&self.0.note) = Some(note.clone());
        // Without memory for the dict, the note is returned alone.
        let fields = error.and_then(|error| catch_memory_error(py, || error_to_dict(py, &error)).ok());
        catch_memory_error(py, || Ok(Some((note, fields).into_pyobject(py)?.into_any())))
    }
}

impl Drop for InFlight {
    /// Stores an outcome for `collect` if it was not delivered: no object was made from it, or nothing else refers to
    /// that object.
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
