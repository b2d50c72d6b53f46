//! Core's events as log_queue of Python's `logging`, logger `gptimage`.
//!
//! Handlers are other people's code: they may sleep, wait for an event loop or call the client. So log_queue have a thread of
//! their own, which is Python's (`gptimage._logging`): what CPython does to it at the interpreter's end meets no frame of ours.

use std::collections::VecDeque;
use std::process;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gptimage_binding::BackgroundRuntime;
use gptimage_binding::log::{self, LogSink};
use gptimage_core::Pending;
use pyo3::prelude::*;
use tokio::time::Instant;
use tracing::Level;

/// The level of Python's `logging` below which nothing is made; `WARNING` unless Python says otherwise.
static LEVEL: AtomicU32 = AtomicU32::new(WARNING);

/// Where events go. What it has pointed to is never freed: any thread may be following it.
static CURRENT: AtomicPtr<LogQueue> = AtomicPtr::new(std::ptr::null_mut());

const WARNING: u32 = 30;

/// LogQueue beyond this many that wait for slow handlers are dropped, which a record says.
const QUEUE_MAX: usize = 10_000;

pub(crate) fn set_level(level: u32) {
    LEVEL.store(level, Ordering::Relaxed);
}

/// Listens from now on.
pub(crate) fn install() {
    log::install(ToPython);
}

/// A record: its level, in `logging`'s numbers, and its text.
type Entry = (u32, String);

/// What nobody will collect any more, as a record.
pub(crate) fn lost_at_exit(what: &str, lost: &[Pending]) -> Entry {
    let ids = lost.iter().map(|pending| pending.client_request_id.as_deref().unwrap_or("(without an id)"));
    (WARNING, format!("the interpreter ends {what}: {}", ids.collect::<Vec<_>>().join(", ")))
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Entry>,
    dropped: u64,
    /// What must be said at the interpreter's end, behind all else.
    last: VecDeque<Entry>,
    /// Handlers have a record in hand.
    busy: bool,
    closed: bool,
}

impl Queue {
    fn pop(&mut self) -> Option<Entry> {
        if self.closed {
            return None;
        }
        self.waiting.pop_front().or_else(|| match std::mem::take(&mut self.dropped) {
            0 => self.last.pop_front(),
            dropped => Some((WARNING, format!("{dropped} log log_queue were dropped: handlers take too long"))),
        })
    }
}

/// LogQueue on their way to Python's handlers, of one process.
pub(crate) struct LogQueue {
    process: u32,
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl LogQueue {
    /// Those of this process. Events go there from now on.
    pub(crate) fn start() -> Arc<Self> {
        let log_queue = Arc::new(Self { process: process::id(), queue: Mutex::default(), changed: Condvar::new() });
        CURRENT.store(Arc::into_raw(log_queue.clone()).cast_mut(), Ordering::Release);
        log_queue
    }

    /// Those of this process, if there are any.
    #[allow(
        unsafe_code,
        reason = "a pointer that any thread may follow at any time, without a lock that a fork could find held"
    )]
    fn current() -> Option<&'static Self> {
        // SAFETY: null, or of an `Arc` that is never dropped.
        let log_queue = unsafe { CURRENT.load(Ordering::Acquire).as_ref() }?;
        log_queue.is_own().then_some(log_queue)
    }

    fn is_own(&self) -> bool {
        self.process == process::id()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread that hands them to `logging`.
    pub(crate) fn start_thread(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let run = py.import("gptimage._logging")?.getattr("run")?;
        let start = py.import("_thread")?.getattr("start_new_thread")?;
        let log_queue = LogRecords(self.clone());
        BackgroundRuntime::without_signals(|| start.call1((run, (log_queue,)))).map(drop)
    }

    pub(crate) fn send(&self, entry: Entry) {
        let mut queue = self.lock();
        if queue.closed {
            return;
        }
        if queue.waiting.len() >= QUEUE_MAX {
            queue.dropped += 1;
            return;
        }
        queue.waiting.push_back(entry);
        drop(queue);
        self.changed.notify_all();
    }

    /// Something that is said on stderr where handlers do not come to it.
    pub(crate) fn send_last(&self, entry: Entry) {
        self.lock().last.push_back(entry);
        self.changed.notify_all();
    }

    /// Waits for the next record. Whoever asks is done with the one before.
    fn next(&self) -> Entry {
        let mut queue = self.lock();
        queue.busy = false;
        self.changed.notify_all();
        loop {
            if let Some(entry) = queue.pop() {
                queue.busy = true;
                return entry;
            }
            // Once closed this waits for ever: the interpreter is ending, and its threads with it.
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until handlers are done with all there is, for so long at most.
    pub(crate) fn flush(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut queue = self.lock();
        while queue.busy || queue.dropped > 0 || !queue.waiting.is_empty() || !queue.last.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            queue = self.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// From now on handlers get nothing more. What must be said, and they did not get.
    pub(crate) fn close(&self) -> Vec<String> {
        let mut queue = self.lock();
        queue.closed = true;
        queue.last.drain(..).map(|(_, text)| text).collect()
    }
}

/// The end of the log_queue that Python's thread has.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct LogRecords(Arc<LogQueue>);

#[pymethods]
impl LogRecords {
    /// Waits for the next record: its level and its text. `None` in a forked child, where a handler may have forked.
    fn next(&self, py: Python<'_>) -> Option<Entry> {
        // What a parent's threads had locked is locked for ever.
        self.0.is_own().then(|| py.detach(|| self.0.next()))
    }

    /// Says what a handler raised, as Python says what nobody can catch.
    fn failed(&self, error: &Bound<'_, PyAny>) {
        PyErr::from_value(error.clone()).write_unraisable(error.py(), None);
    }
}

/// `logging`'s number of a level.
fn number(level: Level) -> u32 {
    match level {
        Level::ERROR => 40,
        Level::WARN => WARNING,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

struct ToPython;

impl LogSink for ToPython {
    fn enabled(&self, level: Level) -> bool {
        number(level) >= LEVEL.load(Ordering::Relaxed)
    }

    fn write(&self, level: Level, line: String) {
        if let Some(log_queue) = LogQueue::current() {
            log_queue.send((number(level), line));
        }
    }
}
