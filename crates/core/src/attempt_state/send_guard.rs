//! The guard of every charged request body: it counts the bytes that the HTTP library takes, and can be closed for
//! good.
//!
//! The HTTP library pulls the body in a task of its own, which can outlive the caller's future. So a decision closes
//! the guard and reads the count under one lock: a closed guard yields an error instead of bytes, and the count is
//! final. A count below the body's length proves that no server has the whole request.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// The reason why an input file could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InputError {
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
    input_error: Option<InputError>,
}

/// The guard, shared by the body and the attempt that sends it.
#[derive(Debug)]
pub(crate) struct SendGuard(Mutex<State>);

/// How much of the body has been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SendProgress {
    /// Bytes that the HTTP library took.
    pub(crate) handed: u64,
    /// Length of the body in bytes.
    pub(crate) total: u64,
    /// Whether the HTTP library asked for the body at all.
    pub(crate) started: bool,
    /// When the HTTP library took the last bytes.
    pub(crate) moved: Instant,
}

impl SendProgress {
    /// Returns whether a server may have the whole request.
    pub(crate) fn is_whole(&self) -> bool {
        self.handed == self.total
    }
}

impl SendGuard {
    pub(crate) fn new(total: u64) -> Self {
        Self(Mutex::new(State {
            handed: 0,
            total,
            closed: false,
            started: false,
            moved: Instant::now(),
            input_error: None,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that the HTTP library asked for the first bytes.
    pub(crate) fn start(&self) {
        let mut state = self.lock();
        if !state.started {
            state.started = true;
            state.moved = Instant::now();
        }
    }

    /// Counts `bytes` and lets them pass. Returns false if the guard is closed.
    pub(crate) fn pass(&self, bytes: u64) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.handed += bytes;
        state.moved = Instant::now();
        true
    }

    /// Closes the guard because an input file cannot be read.
    pub(crate) fn fail(&self, error: InputError) {
        let mut state = self.lock();
        state.closed = true;
        state.input_error = Some(error);
    }

    /// Returns the error that [`SendGuard::fail`] was given.
    pub(crate) fn input_error(&self) -> Option<InputError> {
        self.lock().input_error.clone()
    }

    /// Returns the current count, which can grow unless the guard is closed.
    pub(crate) fn progress(&self) -> SendProgress {
        self.lock().progress()
    }

    /// Closes the guard, even if the whole body has passed. Returns the final count.
    pub(crate) fn close(&self) -> SendProgress {
        let mut state = self.lock();
        state.closed = true;
        state.progress()
    }

    /// Closes the guard unless the whole body has passed. Returns the count in either case.
    pub(crate) fn close_unless_whole(&self) -> SendProgress {
        let mut state = self.lock();
        if state.handed < state.total {
            state.closed = true;
        }
        state.progress()
    }
}

impl State {
    fn progress(&self) -> SendProgress {
        SendProgress { handed: self.handed, total: self.total, started: self.started, moved: self.moved }
    }
}

#[cfg(test)]
#[path = "send_guard_tests.rs"]
mod tests;
