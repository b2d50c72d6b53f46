//! The faults that wait for their call.

use std::sync::Mutex;

use crate::sync::lock;

/// An ordered list of faults; the first that matches is taken.
#[derive(Debug)]
pub(crate) struct Script<F> {
    waiting: Mutex<Vec<F>>,
}

/// What a script can hold.
pub(crate) trait Scripted: Clone {
    /// What a fault is chosen by.
    type Occasion<'a>: Copy;

    fn matches(&self, occasion: Self::Occasion<'_>) -> bool;

    /// Uses the fault once; `false` when it is used up.
    fn use_once(&mut self) -> bool;
}

impl<F: Scripted> Script<F> {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::new(Vec::new()) }
    }

    pub(crate) fn push(&self, fault: F) {
        lock(&self.waiting).push(fault);
    }

    pub(crate) fn clear(&self) {
        lock(&self.waiting).clear();
    }

    /// How many faults wait.
    pub(crate) fn len(&self) -> usize {
        lock(&self.waiting).len()
    }

    /// Takes the first fault that matches, or uses it once if it lasts.
    pub(crate) fn take(&self, occasion: F::Occasion<'_>) -> Option<F> {
        let mut waiting = lock(&self.waiting);
        let index = waiting.iter().position(|fault| fault.matches(occasion))?;
        let fault = waiting.get_mut(index)?;
        let taken = fault.clone();
        if !fault.use_once() {
            waiting.remove(index);
        }
        Some(taken)
    }
}
