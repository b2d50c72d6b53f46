//! Queues of faults that are waiting for a matching request.

use std::sync::Mutex;

use crate::sync::lock;

/// An ordered list of faults; the first that matches is taken.
#[derive(Debug)]
pub(crate) struct FaultQueue<F> {
    waiting: Mutex<Vec<F>>,
}

/// A fault that can be queued.
pub(crate) trait QueuedFault: Clone {
    /// The properties of a request that a fault is matched against.
    type Trigger<'a>: Copy;

    fn matches(&self, trigger: Self::Trigger<'_>) -> bool;

    /// Uses the fault once. Returns `false` when it is used up.
    fn use_once(&mut self) -> bool;
}

impl<F: QueuedFault> FaultQueue<F> {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::new(Vec::new()) }
    }

    pub(crate) fn push(&self, fault: F) {
        lock(&self.waiting).push(fault);
    }

    pub(crate) fn clear(&self) {
        lock(&self.waiting).clear();
    }

    /// Returns how many faults are queued.
    pub(crate) fn len(&self) -> usize {
        lock(&self.waiting).len()
    }

    /// Returns the first matching fault, and removes it unless it is to strike again.
    pub(crate) fn take(&self, trigger: F::Trigger<'_>) -> Option<F> {
        let mut waiting = lock(&self.waiting);
        let index = waiting.iter().position(|fault| fault.matches(trigger))?;
        let fault = waiting.get_mut(index)?;
        let taken = fault.clone();
        if !fault.use_once() {
            waiting.remove(index);
        }
        Some(taken)
    }
}
