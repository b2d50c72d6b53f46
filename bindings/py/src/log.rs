//! Passes core's events to Python's `logging`, as records of the logger `gptimage`.
//!
//! Logging handlers are code of the application: they may sleep, wait for an event loop or call the client. So they run
//! on a separate thread, which Python creates (`gptimage._logging`): at exit CPython may stop that thread at any point,
//! and there must be no Rust frames on its stack then.

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

/// The level of Python's `logging` below which no records are created. Default: `WARNING`.
static LEVEL: AtomicU32 = AtomicU32::new(WARNING);

/// The queue of this process. Old values are never freed: any thread may be using them.
static CURRENT: AtomicPtr<LogQueue> = AtomicPtr::new(std::ptr::null_mut());

const WARNING: u32 = 30;

/// Maximum number of records in the queue. Beyond it, records are dropped, and a later record says how many.
const QUEUE_MAX: usize = 10_000;

pub(crate) fn set_level(level: u32) {
    LEVEL.store(level, Ordering::Relaxed);
}

/// Installs the log sink.
pub(crate) fn install() {
    log::install(ToPython);
}

/// A log record: its level, as a number of `logging`, and its text.
type Entry = (u32, String);

/// Creates a record that names calls whose outcomes are lost.
pub(crate) fn lost_at_exit(what: &str, lost: &[Pending]) -> Entry {
    let ids = lost.iter().map(|pending| pending.client_request_id.as_deref().unwrap_or("(without an id)"));
    (WARNING, format!("the interpreter ends {what}: {}", ids.collect::<Vec<_>>().join(", ")))
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Entry>,
    dropped: u64,
    /// Records that are logged last at exit.
    last: VecDeque<Entry>,
    /// A handler is processing a record.
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
            dropped => Some((WARNING, format!("{dropped} log records were dropped: handlers take too long"))),
        })
    }
}

/// The queue of log records of one process.
pub(crate) struct LogQueue {
    process: u32,
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl LogQueue {
    /// Creates the queue of this process and makes it the current one.
    pub(crate) fn start() -> Arc<Self> {
        let log_queue = Arc::new(Self { process: process::id(), queue: Mutex::default(), changed: Condvar::new() });
        CURRENT.store(Arc::into_raw(log_queue.clone()).cast_mut(), Ordering::Release);
        log_queue
    }

    /// The queue of this process, if there is one.
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

    /// Starts the thread that passes records to `logging`.
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

    /// Adds a record that is printed on stderr if no handler gets to it.
    pub(crate) fn send_last(&self, entry: Entry) {
        self.lock().last.push_back(entry);
        self.changed.notify_all();
    }

    /// Waits for the next record. The caller is done with the previous one.
    fn next(&self) -> Entry {
        let mut queue = self.lock();
        queue.busy = false;
        self.changed.notify_all();
        loop {
            if let Some(entry) = queue.pop() {
                queue.busy = true;
                return entry;
            }
            // Once closed, this waits for ever: the interpreter is exiting, and ends its threads.
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until all records are handled, for at most `timeout`.
    pub(crate) fn flush(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let mut queue = self.lock();
        while queue.busy || queue.dropped > 0 || !queue.waiting.is_empty() || !queue.last.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            queue = self.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Closes the queue. Returns the texts of the last records that no handler got.
    pub(crate) fn close(&self) -> Vec<String> {
        let mut queue = self.lock();
        queue.closed = true;
        queue.last.drain(..).map(|(_, text)| text).collect()
    }
}

/// The receiver of log records, used by the logging thread.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct LogRecords(Arc<LogQueue>);

#[pymethods]
impl LogRecords {
    /// Waits for the next record and returns its level and text. `None` in a forked child, if a handler has forked.
    fn next(&self, py: Python<'_>) -> Option<Entry> {
        // In a forked child, locks that were held by the parent's threads stay locked.
        self.0.is_own().then(|| py.detach(|| self.0.next()))
    }

    /// Reports an exception of a handler through `sys.unraisablehook`.
    fn failed(&self, error: &Bound<'_, PyAny>) {
        PyErr::from_value(error.clone()).write_unraisable(error.py(), None);
    }
}

/// The number of a level in `logging`.
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
