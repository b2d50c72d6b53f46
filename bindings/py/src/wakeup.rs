//! The thread that wakes event loops, so that the one with the network never waits for the interpreter.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use gptimage_binding::BackgroundRuntime;
use pyo3::prelude::*;

/// A function of an event loop's, called without arguments. What it raises is nobody's: the loop may be closed by now.
type Waker = Py<PyAny>;

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waker>,
    /// Attached to the interpreter, or about to be.
    attached: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// Hands wakers to the thread. Clones are the same.
#[derive(Clone)]
pub(crate) struct WakeupThread(Arc<Shared>);

impl WakeupThread {
    pub(crate) fn start() -> std::io::Result<Self> {
        let wakeups = Self(Arc::default());
        let shared = wakeups.0.clone();
        BackgroundRuntime::spawn_thread("gptimage-python", move || shared.run())?;
        Ok(wakeups)
    }

    pub(crate) fn send(&self, waker: Waker) {
        let mut queue = self.0.lock();
        if queue.closed {
            // An object of an interpreter that is ending is left to it.
            std::mem::forget(waker);
            return;
        }
        queue.waiting.push_back(waker);
        drop(queue);
        self.0.changed.notify_one();
    }

    /// From now on the thread does not touch the interpreter any more.
    pub(crate) fn close(&self) {
        let mut queue = self.0.lock();
        queue.closed = true;
        // Event loops are not waiting any more; what is of the interpreter is left to it.
        std::mem::take(&mut queue.waiting).into_iter().for_each(std::mem::forget);
        drop(queue);
        self.0.changed.notify_one();
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().closed
    }

    /// Whether the interpreter is being touched.
    pub(crate) fn is_attached(&self) -> bool {
        self.0.lock().attached
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let mut queue = self.lock();
            queue.attached = false;
            while queue.waiting.is_empty() && !queue.closed {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            if queue.closed {
                return;
            }
            queue.attached = true;
            let wakers = std::mem::take(&mut queue.waiting);
            drop(queue);
            Python::attach(|py| {
                for waker in wakers {
                    // A closed event loop raises, and nobody is waiting any more.
                    let _ = waker.bind(py).call0();
                }
            });
        }
    }
}
