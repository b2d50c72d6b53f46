//! The gate that every charged body passes: it counts what was handed over, and closes for good.
//!
//! The HTTP library pulls the body in a task of its own, which goes on after the caller is gone. So a verdict closes the
//! gate in the same atomic step that reads the count: a closed gate yields an error instead of bytes, and the count is
//! final. Fewer bytes than the body has prove that no server holds a whole request.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// Why an input could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InputFailure {
    #[error("{0} changed while it was uploaded, or since the request was built; build the request again")]
    Changed(String),
    #[error("{name} cannot be read: {reason}")]
    Unreadable { name: String, reason: String },
}

#[derive(Debug)]
struct State {
    handed: u64,
    total: u64,
    closed: bool,
    started: bool,
    /// When the last bytes were handed over.
    moved: Instant,
    failure: Option<InputFailure>,
}

/// Shared between the body and whoever judges it.
#[derive(Debug)]
pub(crate) struct Gate(Mutex<State>);

/// What a look at the gate shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) handed: u64,
    pub(crate) total: u64,
    /// Whether the transport asked for the body at all.
    pub(crate) started: bool,
    pub(crate) moved: Instant,
}

impl Passed {
    /// Whether a server can have the whole request.
    pub(crate) fn is_whole(&self) -> bool {
        self.handed == self.total
    }
}

impl Gate {
    pub(crate) fn new(total: u64) -> Self {
        Self(Mutex::new(State {
            handed: 0,
            total,
            closed: false,
            started: false,
            moved: Instant::now(),
            failure: None,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The body was asked for its first bytes.
    pub(crate) fn start(&self) {
        let mut state = self.lock();
        if !state.started {
            state.started = true;
            state.moved = Instant::now();
        }
    }

    /// Lets `bytes` pass; `false` once the gate is closed.
    pub(crate) fn pass(&self, bytes: u64) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.handed += bytes;
        state.moved = Instant::now();
        true
    }

    /// An input cannot be read on: nothing passes any more.
    pub(crate) fn fail(&self, failure: InputFailure) {
        let mut state = self.lock();
        state.closed = true;
        state.failure = Some(failure);
    }

    pub(crate) fn failure(&self) -> Option<InputFailure> {
        self.lock().failure.clone()
    }

    pub(crate) fn look(&self) -> Passed {
        Self::passed(&self.lock())
    }

    /// Closes the gate, whatever passed.
    pub(crate) fn close(&self) -> Passed {
        let mut state = self.lock();
        state.closed = true;
        Self::passed(&state)
    }

    /// Closes the gate if the body is not whole; says what passed either way.
    pub(crate) fn close_unless_whole(&self) -> Passed {
        let mut state = self.lock();
        if state.handed < state.total {
            state.closed = true;
        }
        Self::passed(&state)
    }

    fn passed(state: &State) -> Passed {
        Passed { handed: state.handed, total: state.total, started: state.started, moved: state.moved }
    }
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
