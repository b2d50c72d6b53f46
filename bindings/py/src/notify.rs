//! The thread that speaks to the interpreter, so that the one with the network never waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use gptimage_binding::Background as Threads;
use pyo3::prelude::*;

use crate::log::Entry;

/// Something that Python is to hear.
pub(crate) enum Message {
    /// Call this, without arguments. What it raises is nobody's: an event loop may be closed by now.
    Call(Py<PyAny>),
    Log(Entry),
}

/// Log entries beyond this many are dropped: nobody may be reading them.
const MOST_WAITING: usize = 10_000;

#[derive(Default)]
struct State {
    waiting: VecDeque<Message>,
    /// Attached to the interpreter, or about to be.
    speaking: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// Hands messages to the thread. Clones are the same.
#[derive(Clone)]
pub(crate) struct Notifier(Arc<Shared>);

impl Notifier {
    pub(crate) fn start() -> std::io::Result<Self> {
        let notifier = Self(Arc::default());
        let shared = notifier.0.clone();
        Threads::thread("gptimage-python", move || shared.speak())?;
        Ok(notifier)
    }

    pub(crate) fn send(&self, message: Message) {
        let mut state = self.0.lock();
        if state.closed || (matches!(message, Message::Log(_)) && state.waiting.len() >= MOST_WAITING) {
            // An object of an interpreter that is ending is left to it.
            std::mem::forget(message);
            return;
        }
        state.waiting.push_back(message);
        drop(state);
        self.0.changed.notify_one();
    }

    /// From now on the thread does not touch the interpreter any more. Gives what it has not said.
    pub(crate) fn close(&self) -> VecDeque<Message> {
        let mut state = self.0.lock();
        state.closed = true;
        std::mem::take(&mut state.waiting)
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
            let messages = std::mem::take(&mut state.waiting);
            drop(state);
            Python::attach(|py| messages.into_iter().for_each(|message| deliver(py, message)));
        }
    }
}

pub(crate) fn deliver(py: Python<'_>, message: Message) {
    match message {
        Message::Call(callable) => {
            // A closed event loop raises, and nobody is waiting any more.
            let _ = callable.bind(py).call0();
        }
        Message::Log(entry) => {
            if let Err(error) = entry.hand_over(py) {
                error.write_unraisable(py, None);
            }
        }
    }
}
