//! A running call: any thread can wait for it, and abandoning it does not lose what was paid for.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gptimage_core::binding::DetachedCall;
use gptimage_core::{CancelToken, Client, Progress};

use crate::ProcessLocal;

/// Called once, on the thread that made the change. Must not block.
type Waker = Box<dyn FnOnce() + Send>;

/// Stores an outcome that nobody took, so that a later `collect` returns it.
type Keep<T> = Box<dyn Fn(&Client, T) + Send + Sync>;

/// The state of a job, as its caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// The task is still running.
    Running,
    /// The task ended; its outcome can be taken.
    Ended,
    /// The outcome was taken.
    Taken,
    /// The task ended without an outcome: a bug in this library.
    Lost,
}

enum TaskState<T> {
    Running,
    Ended(T),
    Taken,
    Lost,
    /// The caller abandoned the job. If the task is still running, `Client::drain` waits for its outcome.
    Abandoned(Option<DetachedCall>),
}

struct Inner<T> {
    state: TaskState<T>,
    /// The latest progress that the caller has not taken.
    progress: Option<Progress>,
    waker: Option<Waker>,
}

struct Shared<T> {
    inner: Mutex<Inner<T>>,
    changed: Condvar,
    token: CancelToken,
    client: Client,
    keep: Keep<T>,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all threads that wait for a change.
    fn wake(&self, mut inner: MutexGuard<'_, Inner<T>>) {
        let waker = inner.waker.take();
        drop(inner);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker();
        }
    }

    fn end(&self, state: TaskState<T>) {
        let mut inner = self.lock();
        if let TaskState::Abandoned(expected) = &mut inner.state {
            let expected = expected.take();
            drop(inner);
            if let TaskState::Ended(outcome) = state {
                (self.keep)(&self.client, outcome);
            }
            drop(expected);
        } else if matches!(inner.state, TaskState::Running) {
            inner.state = state;
            self.wake(inner);
        }
    }
}

/// The caller's handle to a job. Dropping it cancels the job; an outcome that comes nevertheless is put back for `collect`.
pub struct Job<T>(ProcessLocal<Arc<Shared<T>>>);

/// The task's side of a job. Dropping it without [`TaskGuard::finish`] marks the job as lost.
pub struct TaskGuard<T>(Arc<Shared<T>>);

impl<T> Job<T> {
    /// Creates both sides of a job. `keep` receives an outcome that nobody takes.
    pub fn new(client: &Client, keep: impl Fn(&Client, T) + Send + Sync + 'static) -> (Self, TaskGuard<T>) {
        let inner = Inner { state: TaskState::Running, progress: None, waker: None };
        let shared = Arc::new(Shared {
            inner: Mutex::new(inner),
            changed: Condvar::new(),
            token: CancelToken::new(),
            client: client.clone(),
            keep: Box::new(keep),
        });
        (Self(ProcessLocal::new(shared.clone())), TaskGuard(shared))
    }

    /// Returns the shared state. `None` in a forked child, because the job belongs to the parent.
    fn shared(&self) -> Option<&Shared<T>> {
        self.0.get().map(Arc::as_ref)
    }

    /// Returns whether this process started the job. In a forked child the job never ends.
    pub fn is_own(&self) -> bool {
        self.0.get().is_some()
    }

    /// Returns the state.
    pub fn state(&self) -> JobState {
        match self.shared().map(|shared| shared.lock()).as_deref() {
            None | Some(Inner { state: TaskState::Running, .. }) => JobState::Running,
            Some(Inner { state: TaskState::Ended(_), .. }) => JobState::Ended,
            Some(Inner { state: TaskState::Taken | TaskState::Abandoned(_), .. }) => JobState::Taken,
            Some(Inner { state: TaskState::Lost, .. }) => JobState::Lost,
        }
    }

    /// Waits until the job has ended, for at most `limit`. Returns whether it has.
    pub fn wait(&self, limit: Option<Duration>) -> bool {
        self.wait_while(limit, |inner| matches!(inner.state, TaskState::Running))
    }

    /// Like [`Job::wait`], but also returns when there is new progress.
    pub fn wait_update(&self, limit: Option<Duration>) -> bool {
        self.wait_while(limit, |inner| matches!(inner.state, TaskState::Running) && inner.progress.is_none())
    }

    fn wait_while(&self, limit: Option<Duration>, idle: impl Fn(&Inner<T>) -> bool) -> bool {
        let Some(shared) = self.shared() else { return false };
        let (inner, idle) = (shared.lock(), |inner: &mut Inner<T>| idle(inner));
        match limit {
            None => {
                drop(shared.changed.wait_while(inner, idle).unwrap_or_else(PoisonError::into_inner));
                true
            }
            Some(limit) => {
                let waited = shared.changed.wait_timeout_while(inner, limit, idle);
                !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
            }
        }
    }

    /// Registers a function that is called once, at the next change; immediately if there is one already. Replaces an earlier
    /// waker.
    pub fn set_waker(&self, waker: impl FnOnce() + Send + 'static) {
        let Some(shared) = self.shared() else { return };
        let mut inner = shared.lock();
        inner.waker = Some(Box::new(waker));
        if !matches!(inner.state, TaskState::Running) || inner.progress.is_some() {
            shared.wake(inner);
        }
    }

    /// Takes the latest progress. `None` if there is none since the last call.
    pub fn take_progress(&self) -> Option<Progress> {
        self.shared()?.lock().progress.take()
    }

    /// Takes the outcome. `None` if there is none, or if it was taken before.
    pub fn take(&self) -> Option<T> {
        let mut inner = self.shared()?.lock();
        match std::mem::replace(&mut inner.state, TaskState::Taken) {
            TaskState::Ended(outcome) => Some(outcome),
            other => {
                inner.state = other;
                None
            }
        }
    }

    /// Puts an outcome back for `collect` that was taken but could not be handed over.
    pub fn keep(&self, outcome: T) {
        if let Some(shared) = self.shared() {
            (shared.keep)(&shared.client, outcome);
        }
    }

    /// Cancels the job. A call that may be charged already runs on in the background, as with any cancelled call.
    pub fn cancel(&self) {
        if let Some(shared) = self.shared() {
            shared.token.cancel();
        }
    }

    /// Cancels the job and waits for its outcome for at most `timeout`. A later outcome is put back for `collect`.
    ///
    /// # Errors
    /// The state, if there is no outcome.
    pub fn abandon(&self, timeout: Duration) -> Result<T, JobState> {
        self.cancel();
        self.wait(Some(timeout));
        let Some(shared) = self.shared() else { return Err(JobState::Running) };
        let mut inner = shared.lock();
        inner.waker = None;
        let expected = matches!(inner.state, TaskState::Running).then(|| shared.client.begin_detached());
        match std::mem::replace(&mut inner.state, TaskState::Abandoned(expected)) {
            TaskState::Ended(outcome) => Ok(outcome),
            TaskState::Running => Err(JobState::Running),
            TaskState::Abandoned(expected) => {
                inner.state = TaskState::Abandoned(expected);
                Err(JobState::Taken)
            }
            TaskState::Taken => Err(JobState::Taken),
            TaskState::Lost => Err(JobState::Lost),
        }
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        if let Some(shared) = self.shared()
            && let Ok(outcome) = self.abandon(Duration::ZERO)
        {
            (shared.keep)(&shared.client, outcome);
        }
    }
}

impl<T> TaskGuard<T> {
    /// Returns the token that is cancelled when the caller abandons the job.
    pub fn token(&self) -> &CancelToken {
        &self.0.token
    }

    /// Returns a progress observer that passes progress on to the caller.
    pub fn progress_observer(&self) -> impl Fn(&Progress) + Send + Sync + 'static
    where
        T: Send + 'static,
    {
        let shared = self.0.clone();
        move |progress| {
            let mut inner = shared.lock();
            inner.progress = Some(progress.clone());
            shared.wake(inner);
        }
    }

    /// Ends the job with an outcome.
    pub fn finish(self, outcome: T) {
        self.0.end(TaskState::Ended(outcome));
    }
}

impl<T> Drop for TaskGuard<T> {
    fn drop(&mut self) {
        self.0.end(TaskState::Lost);
    }
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({:?})", self.state())
    }
}

impl<T> fmt::Debug for TaskGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskGuard")
    }
}
