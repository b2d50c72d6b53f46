//! A call on its way: waited for by any thread, and given up without losing what was paid for.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gptimage_core::{CancelToken, Client, ExpectedOutcome, Progress};

use crate::Own;

/// Called once, on the thread that has news, which it must not hold up.
type Waker = Box<dyn FnOnce() + Send>;

/// Keeps an outcome that nobody takes.
type Keep<T> = Box<dyn Fn(&Client, T) + Send + Sync>;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its outcome is not there yet.
    Running,
    /// Its outcome is waiting to be taken.
    Ended,
    /// Its outcome was taken.
    Taken,
    /// It ended without an outcome, by a fault of ours.
    Lost,
}

enum Slot<T> {
    Running,
    Ended(T),
    Taken,
    Lost,
    /// Nobody waits any more, but for the client's `drain` where there is still something to come.
    Abandoned(Option<ExpectedOutcome>),
}

struct Inner<T> {
    slot: Slot<T>,
    /// The last look at it that nobody has had.
    news: Option<Progress>,
    waker: Option<Waker>,
}

struct Shared<T> {
    inner: Mutex<Inner<T>>,
    changed: Condvar,
    token: CancelToken,
    client: Client,
    /// What becomes of an outcome that nobody takes.
    keep: Keep<T>,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is new: whoever waits is to look.
    fn wake(&self, mut inner: MutexGuard<'_, Inner<T>>) {
        let waker = inner.waker.take();
        drop(inner);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker();
        }
    }

    fn end(&self, slot: Slot<T>) {
        let mut inner = self.lock();
        if let Slot::Abandoned(expected) = &mut inner.slot {
            let expected = expected.take();
            drop(inner);
            if let Slot::Ended(outcome) = slot {
                (self.keep)(&self.client, outcome);
            }
            drop(expected);
        } else if matches!(inner.slot, Slot::Running) {
            inner.slot = slot;
            self.wake(inner);
        }
    }
}

/// The end of a job that its caller has. Dropped, the job is cancelled, and what it yields in spite of that is kept.
pub struct Job<T>(Own<Arc<Shared<T>>>);

/// The end of a job that its task has. Dropped without an outcome, the job is lost, and its caller hears so.
pub struct Runner<T>(Arc<Shared<T>>);

impl<T> Job<T> {
    /// Both ends of a job of this client's; `keep` gets an outcome that nobody takes.
    pub fn new(client: &Client, keep: impl Fn(&Client, T) + Send + Sync + 'static) -> (Self, Runner<T>) {
        let inner = Inner { slot: Slot::Running, news: None, waker: None };
        let shared = Arc::new(Shared {
            inner: Mutex::new(inner),
            changed: Condvar::new(),
            token: CancelToken::new(),
            client: client.clone(),
            keep: Box::new(keep),
        });
        (Self(Own::new(shared.clone())), Runner(shared))
    }

    /// `None` in a forked child: the job is its parent's.
    fn shared(&self) -> Option<&Shared<T>> {
        self.0.get().map(Arc::as_ref)
    }

    /// Whether this process started it; in a forked child it never ends.
    pub fn is_own(&self) -> bool {
        self.0.get().is_some()
    }

    /// How far it is.
    pub fn state(&self) -> State {
        match self.shared().map(|shared| shared.lock()).as_deref() {
            None | Some(Inner { slot: Slot::Running, .. }) => State::Running,
            Some(Inner { slot: Slot::Ended(_), .. }) => State::Ended,
            Some(Inner { slot: Slot::Taken | Slot::Abandoned(_), .. }) => State::Taken,
            Some(Inner { slot: Slot::Lost, .. }) => State::Lost,
        }
    }

    /// Waits until it has ended, or the time is up. Says whether it has.
    pub fn wait_end(&self, limit: Option<Duration>) -> bool {
        self.wait(limit, |inner| matches!(inner.slot, Slot::Running))
    }

    /// As [`Job::wait_end`], and returns for progress that nobody has seen, too.
    pub fn wait_news(&self, limit: Option<Duration>) -> bool {
        self.wait(limit, |inner| matches!(inner.slot, Slot::Running) && inner.news.is_none())
    }

    fn wait(&self, limit: Option<Duration>, idle: impl Fn(&Inner<T>) -> bool) -> bool {
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

    /// Calls `waker` once, as soon as there is something new; at once if there is already. It takes an earlier one's place.
    pub fn notify(&self, waker: impl FnOnce() + Send + 'static) {
        let Some(shared) = self.shared() else { return };
        let mut inner = shared.lock();
        inner.waker = Some(Box::new(waker));
        if !matches!(inner.slot, Slot::Running) || inner.news.is_some() {
            shared.wake(inner);
        }
    }

    /// The last look at it, if there was none since.
    pub fn news(&self) -> Option<Progress> {
        self.shared()?.lock().news.take()
    }

    /// Takes the outcome, once.
    pub fn take(&self) -> Option<T> {
        let mut inner = self.shared()?.lock();
        match std::mem::replace(&mut inner.slot, Slot::Taken) {
            Slot::Ended(outcome) => Some(outcome),
            other => {
                inner.slot = other;
                None
            }
        }
    }

    /// Looks at an outcome that nobody has taken yet; `None`: there is none.
    pub fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        match &self.shared()?.lock().slot {
            Slot::Ended(outcome) => Some(look(outcome)),
            _ => None,
        }
    }

    /// Leaves an outcome that was taken, and got nowhere, to whoever collects.
    pub fn keep(&self, outcome: T) {
        if let Some(shared) = self.shared() {
            (shared.keep)(&shared.client, outcome);
        }
    }

    /// Asks it to end. What may be paid by now runs on, as core has it.
    pub fn cancel(&self) {
        if let Some(shared) = self.shared() {
            shared.token.cancel();
        }
    }

    /// Cancels it and waits a while for its outcome; from now on, what it yields is kept. `Err`: how far it was.
    ///
    /// # Errors
    /// The state, where there is no outcome.
    pub fn abandon(&self, patience: Duration) -> Result<T, State> {
        self.cancel();
        self.wait_end(Some(patience));
        let Some(shared) = self.shared() else { return Err(State::Running) };
        let mut inner = shared.lock();
        inner.waker = None;
        let expected = matches!(inner.slot, Slot::Running).then(|| shared.client.expect_outcome());
        match std::mem::replace(&mut inner.slot, Slot::Abandoned(expected)) {
            Slot::Ended(outcome) => Ok(outcome),
            Slot::Running => Err(State::Running),
            Slot::Abandoned(expected) => {
                inner.slot = Slot::Abandoned(expected);
                Err(State::Taken)
            }
            Slot::Taken => Err(State::Taken),
            Slot::Lost => Err(State::Lost),
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

impl<T> Runner<T> {
    /// Cancelled when the caller gives up.
    pub fn token(&self) -> &CancelToken {
        &self.0.token
    }

    /// A function that tells the caller how far the job is.
    pub fn teller(&self) -> impl Fn(&Progress) + Send + Sync + 'static
    where
        T: Send + 'static,
    {
        let shared = self.0.clone();
        move |progress| {
            let mut inner = shared.lock();
            inner.news = Some(progress.clone());
            shared.wake(inner);
        }
    }

    /// Hands the outcome over.
    pub fn end(self, outcome: T) {
        self.0.end(Slot::Ended(outcome));
    }
}

impl<T> Drop for Runner<T> {
    fn drop(&mut self) {
        self.0.end(Slot::Lost);
    }
}

impl<T> fmt::Debug for Job<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({:?})", self.state())
    }
}

impl<T> fmt::Debug for Runner<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runner")
    }
}
