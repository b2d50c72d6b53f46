//! The thread that wakes event loops, so that the network thread never waits for the interpreter.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use gptimage_binding::BackgroundRuntime;
use pyo3::prelude::*;

/// A function that wakes an event loop, called without arguments. Its exceptions are ignored: the loop may be closed.
type Waker = Py<PyAny>;

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waker>,
    /// The thread is attached to the interpreter, or about to be.
    attached: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

/// A handle to the thread. Clones refer to the same thread.
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
            // Leak the object: the interpreter is exiting.
            std::mem::forget(waker);
            return;
        }
        queue.waiting.push_back(waker);
        drop(queue);
        self.0.changed.notify_one();
    }

    /// Closes the thread: it does not touch the interpreter any more.
    pub(crate) fn close(&self) {
        let mut queue = self.0.lock();
        queue.closed = true;
        // Leak the objects: the interpreter is exiting.
        std::mem::take(&mut queue.waiting).into_iter().for_each(std::mem::forget);
        drop(queue);
        self.0.changed.notify_one();
    }

    /// Returns whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.lock().closed
    }

    /// Returns whether the thread is attached to the interpreter.
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
                    // A closed event loop raises an exception, and no task waits on it.
                    let _ = waker.bind(py).call0();
                }
            });
        }
    }
}
