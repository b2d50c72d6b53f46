//! The thread that wakes event loops, so that the one with the network never waits for the interpreter.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use gptimage_binding::BackgroundRuntime;
use pyo3::prelude::*;

/// A function of an event loop's, called without arguments. What it raises is nobody's: the loop may be closed by now.
type Waker = Py<PyAny>;

#[derive(Default)]
struct State {
    waiting: VecDeque<Waker>,
    /// Attached to the interpreter, or about to be.
    speaking: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// Hands wakers to the thread. Clones are the same.
#[derive(Clone)]
pub(crate) struct Notifier(Arc<Shared>);

impl Notifier {
    pub(crate) fn start() -> std::io::Result<Self> {
        let notifier = Self(Arc::default());
        let shared = notifier.0.clone();
        BackgroundRuntime::spawn_thread("gptimage-python", move || shared.speak())?;
        Ok(notifier)
    }

    pub(crate) fn send(&self, waker: Waker) {
        let mut state = self.0.lock();
        if state.closed {
            // An object of an interpreter that is ending is left to it.
            std::mem::forget(waker);
            return;
        }
        state.waiting.push_back(waker);
        drop(state);
        self.0.changed.notify_one();
    }

    /// From now on the thread does not touch the interpreter any more.
    pub(crate) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        // Event loops are not waiting any more; what is of the interpreter is left to it.
        std::mem::take(&mut state.waiting).into_iter().for_each(std::mem::forget);
        drop(state);
        self.0.changed.notify_one();
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().closed
    }

    /// Whether the interpreter is being touched.
    pub(crate) fn is_speaking(&self) -> bool {
        self.0.lock().speaking
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn speak(&self) {
        loop {
            let mut state = self.lock();
            state.speaking = false;
            while state.waiting.is_empty() && !state.closed {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.closed {
                return;
            }
            state.speaking = true;
            let wakers = std::mem::take(&mut state.waiting);
            drop(state);
            Python::attach(|py| {
                for waker in wakers {
                    // A closed event loop raises, and nobody is waiting any more.
                    let _ = waker.bind(py).call0();
                }
            });
        }
    }
}
