//! The callback thread, named `gptimage-calls`: it runs the host's callbacks one after another.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::c_void;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use gptimage_binding::BackgroundRuntime;

/// A host's pointer, passed back unchanged.
#[derive(Clone, Copy)]
pub(crate) struct UserData(*mut c_void);

// SAFETY: never dereferenced here; the header requires that the host can use it on the callback thread.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl UserData {
    pub(crate) fn new(pointer: *mut c_void) -> Self {
        Self(pointer)
    }

    pub(crate) fn pointer(self) -> *mut c_void {
        self.0
    }
}

/// Maximum length of the queue. Beyond it, log lines are dropped.
const QUEUE_MAX: usize = 10_000;

type QueuedCallback = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Inner {
    waiting: VecDeque<(u64, QueuedCallback)>,
    /// The owner of the callback that is running.
    running: Option<u64>,
    thread: Option<ThreadId>,
    /// The owners whose callbacks may run.
    owners: BTreeSet<u64>,
    next_owner: u64,
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
}

/// A handle to the callback thread. Clones refer to the same thread.
#[derive(Clone)]
pub(crate) struct CallbackThread(Arc<Shared>);

impl CallbackThread {
    pub(crate) fn start() -> io::Result<Self> {
        let shared: Arc<Shared> = Arc::default();
        let running = shared.clone();
        BackgroundRuntime::spawn_thread("gptimage-calls", move || running.run())?;
        Ok(Self(shared))
    }

    /// Registers an owner of callbacks and returns its id.
    pub(crate) fn register(&self) -> u64 {
        let mut inner = self.0.lock();
        inner.next_owner += 1;
        let owner = inner.next_owner;
        inner.owners.insert(owner);
        owner
    }

    /// Queues a callback, unless its owner was unregistered.
    pub(crate) fn call(&self, owner: u64, call: impl FnOnce() + Send + 'static) {
        let mut inner = self.0.lock();
        if inner.owners.contains(&owner) {
            inner.waiting.push_back((owner, Box::new(call)));
            drop(inner);
            self.0.changed.notify_all();
        }
    }

    /// Like [`CallbackThread::call`], but drops the callback if the queue is full.
    pub(crate) fn call_unless_full(&self, owner: u64, call: impl FnOnce() + Send + 'static) {
        if self.0.lock().waiting.len() < QUEUE_MAX {
            self.call(owner, call);
        }
    }

    /// Drops the owner's queued callbacks, refuses new ones, and waits for the one that is running, unless this is called from
    /// inside it.
    pub(crate) fn unregister(&self, owner: u64) {
        let mut inner = self.0.lock();
        inner.owners.remove(&owner);
        inner.waiting.retain(|(waiting, _)| *waiting != owner);
        if inner.thread == Some(thread::current().id()) {
            return;
        }
        while inner.running == Some(owner) {
            inner = self.0.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        self.lock().thread = Some(thread::current().id());
        loop {
            let mut inner = self.lock();
            inner.running = None;
            self.changed.notify_all();
            let (owner, call) = loop {
                match inner.waiting.pop_front() {
                    Some(next) => break next,
                    None => inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner),
                }
            };
            inner.running = Some(owner);
            drop(inner);
            // A panic of ours must not end the process. A C++ exception that leaves the host's function does end it.
            let _ = catch_unwind(AssertUnwindSafe(call));
        }
    }
}
