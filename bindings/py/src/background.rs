//! The background threads: one for network and files, one that wakes event loops, one for log records; and the work at the
//! interpreter's exit.
//!
//! Each process has its own threads. A forked child starts new ones and does not touch the inherited state.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use gptimage_binding::BackgroundRuntime;
use gptimage_core::binding::InFlight;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::time::Instant;

use crate::log::{LogQueue, lost_at_exit};
use crate::wakeup::WakeupThread;

/// How long exit waits for the wake-up thread, for slow log handlers, and for files.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long exit waits for a thread to take an outcome that came during exit, and then for the thread to use it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(1);
const USE_TIMEOUT: Duration = Duration::from_millis(100);

/// How often exit polls.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A paid call, as the interpreter's exit sees it.
pub(crate) trait PaidCall: Send + Sync {
    /// How long exit waits for the call.
    fn exit_wait(&self) -> Duration;

    /// Python's number of the thread that waits for the call; 0 if none does.
    fn waiter(&self) -> u64;

    /// Returns whether the call has ended.
    fn has_ended(&self) -> bool;

    /// Returns whether there is a result that was not delivered.
    fn is_outstanding(&self) -> bool;

    /// Puts a copy of an undelivered result back for `collect`, because its caller ends with the interpreter.
    fn keep_outstanding(&self);
}

/// The threads of one process, which live as long as the process.
pub(crate) struct Background {
    process: u32,
    pub(crate) runtime: BackgroundRuntime,
    pub(crate) wakeups: WakeupThread,
    log_queue: Arc<LogQueue>,
    /// Whether the logging thread was started.
    log_thread_started: AtomicBool,
    /// Clients that may have calls in flight, and how long exit waits for them. Only locked while attached.
    clients_in_flight: Mutex<Vec<(InFlight, Duration)>>,
    /// Charged calls that have started. Only locked while attached.
    calls: Mutex<Vec<Weak<dyn PaidCall>>>,
}

/// The threads of this process. Only locked while attached to the interpreter, and briefly. Only attached threads fork,
/// so a forked child finds it unlocked.
static BACKGROUND: Mutex<Option<&'static Background>> = Mutex::new(None);

/// Set when the interpreter exits: from then on, other threads must not touch it.
static EXIT: OnceLock<Exit> = OnceLock::new();

/// The exit of the interpreter.
pub(crate) struct Exit {
    process: u32,
    thread: ThreadId,
    /// Whether this library no longer uses the interpreter.
    done: AtomicBool,
}

impl Exit {
    fn current() -> Option<&'static Self> {
        EXIT.get().filter(|exit| exit.process == process::id())
    }

    /// Returns the current exit, for a call that starts on another thread, which may be stopped at any point.
    pub(crate) fn begun_by_another_thread() -> Option<&'static Self> {
        Self::current().filter(|exit| exit.thread != thread::current().id())
    }

    /// Waits so long that an interpreter without further work has ended, so that a call that would be charged and lost
    /// at once is not sent. An interpreter that still exists afterwards is running other `atexit` functions, which may
    /// need the call.
    pub(crate) async fn survived(&self) {
        while !self.done.load(Ordering::Relaxed) {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Returns this process's threads. Starts them if they are not running.
pub(crate) fn background(py: Python<'_>) -> PyResult<&'static Background> {
    let failed =
        |error: &dyn std::fmt::Display| PyRuntimeError::new_err(format!("gptimage cannot start its threads: {error}"));
    let background = current(|| Background::start().map_err(|error| failed(&error)))?;
    // Start it before money is spent: reporting a lost call must not depend on a thread that may not start.
    if Exit::current().is_none() && !background.log_thread_started.swap(true, Ordering::Relaxed) {
        background.log_queue.start_thread(py).map_err(|error| {
            background.log_thread_started.store(false, Ordering::Relaxed);
            failed(&error)
        })?;
    }
    Ok(background)
}

/// Like [`background`], without the logging thread. No Python code runs under the lock.
fn current(start: impl FnOnce() -> PyResult<Background>) -> PyResult<&'static Background> {
    let mut current = BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    match *current {
        Some(background) if background.process == process::id() => Ok(background),
        _ => {
            let started = start()?;
            if Exit::current().is_some() {
                started.wakeups.close();
                started.log_queue.close();
            }
            Ok(*current.insert(Box::leak(Box::new(started))))
        }
    }
}

impl Background {
    fn start() -> std::io::Result<Self> {
        let wakeups = WakeupThread::start()?;
        let runtime = BackgroundRuntime::start(|| ()).inspect_err(|_| wakeups.close())?;
        Ok(Self {
            process: process::id(),
            runtime,
            wakeups,
            log_queue: LogQueue::start(),
            log_thread_started: AtomicBool::new(false),
            clients_in_flight: Mutex::default(),
            calls: Mutex::default(),
        })
    }

    /// Registers a charged call that starts.
    pub(crate) fn begins(&self, call: Weak<dyn PaidCall>) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|call| call.strong_count() > 0);
        calls.push(call);
    }

    fn calls(&self) -> Vec<Arc<dyn PaidCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect()
    }

    /// Registers a client whose calls may be in flight at exit.
    pub(crate) fn register_client(&self, in_flight: InFlight, exit_wait: Duration) {
        let mut clients_in_flight = self.clients_in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        // Clients that share their kept outcomes count as one, with the longest wait of them.
        let timeout = clients_in_flight
            .iter()
            .find(|(known, _)| known.is_same(&in_flight))
            .map_or(exit_wait, |(_, wait)| exit_wait.max(*wait));
        clients_in_flight.retain(|(known, _)| !known.is_over() && !known.is_same(&in_flight));
        clients_in_flight.push((in_flight, timeout));
    }

    fn clients_in_flight(&self) -> Vec<(InFlight, Duration)> {
        self.clients_in_flight.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs a blocking function on a file thread and waits for it.
    pub(crate) fn with_files<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> PyResult<T> {
        let (done, result) = mpsc::sync_channel(1);
        drop(self.runtime.spawn_blocking(move || {
            // The receiver waits until it gets this.
            let _ = done.send(work());
        }));
        py.detach(move || result.recv())
            .map_err(|_| PyRuntimeError::new_err("a bug in gptimage: a thread of its ended early"))
    }

    /// Waits until no call is in flight, for at most `exit_wait`. Such calls belong to daemon threads, their event
    /// loops, or have no caller any more.
    fn wait_for_calls(&self, py: Python<'_>) -> PyResult<()> {
        let began = Instant::now();
        let own: u64 = py.import("_thread")?.call_method0("get_ident")?.extract()?;
        let mut waiting: Vec<(Weak<dyn PaidCall>, Duration, u64)> = Vec::new();
        for call in self.calls() {
            if !call.exit_wait().is_zero() && !call.has_ended() {
                waiting.push((Arc::downgrade(&call), call.exit_wait(), call.waiter()));
            }
        }
        let drains: Vec<_> = self
            .clients_in_flight()
            .into_iter()
            .filter(|(in_flight, timeout)| !timeout.is_zero() && !in_flight.is_over())
            // A timeout is not an error: the calls that are left are logged.
            .map(|(in_flight, timeout)| {
                self.runtime.spawn(async move { drop(tokio::time::timeout(timeout, in_flight.drain()).await) })
            })
            .collect();
        let in_flight = |call: &Weak<dyn PaidCall>| call.upgrade().is_some_and(|call| !call.has_ended());
        wait_until(py, || {
            let waits = waiting.iter().any(|(call, timeout, _)| began.elapsed() < *timeout && in_flight(call));
            Ok(!waits && drains.iter().all(|drain| drain.is_finished()))
        })?;
        // This thread is not waiting for a call any more.
        waiting.retain(|(call, _, thread)| *thread != own && !in_flight(call));
        let fetching = Instant::now();
        wait_until(py, || {
            let fetched = |call: &Weak<dyn PaidCall>| call.upgrade().is_none_or(|call| !call.is_outstanding());
            Ok(fetching.elapsed() >= FETCH_TIMEOUT || waiting.iter().all(|(call, ..)| fetched(call)))
        })?;
        let using = Instant::now();
        wait_until(py, || {
            if waiting.is_empty() || using.elapsed() >= USE_TIMEOUT {
                return Ok(true);
            }
            let threads = py.import("sys")?.call_method0("_current_frames")?;
            waiting.retain(|(_, _, thread)| threads.contains(thread).unwrap_or(false));
            Ok(waiting.is_empty())
        })
    }

    /// Stores outcomes that nobody will take, and waits until the store has written its files.
    fn keep_outstanding(&self, py: Python<'_>) -> PyResult<()> {
        self.calls().iter().for_each(|call| call.keep_outstanding());
        let began = Instant::now();
        let clients_in_flight = self.clients_in_flight();
        wait_until(py, || {
            Ok(began.elapsed() >= EXIT_TIMEOUT || !clients_in_flight.iter().any(|(in_flight, _)| in_flight.is_filing()))
        })
    }

    /// Logs the ids of calls whose outcomes are lost, after all other records.
    fn log_lost_calls(&self, py: Python<'_>) -> PyResult<()> {
        let clients_in_flight = self.clients_in_flight();
        let running: Vec<_> = clients_in_flight.iter().flat_map(|(in_flight, _)| in_flight.running()).collect();
        let uncollected: Vec<_> = clients_in_flight.iter().flat_map(|(in_flight, _)| in_flight.uncollected()).collect();
        if !running.is_empty() {
            self.log_queue.send_last(lost_at_exit("while calls are on their way that may be paid", &running));
        }
        if !uncollected.is_empty() {
            self.log_queue.send_last(lost_at_exit("with results that may be paid and nobody collected", &uncollected));
        }
        if self.log_thread_started.load(Ordering::Relaxed) {
            py.detach(|| self.log_queue.flush(EXIT_TIMEOUT));
        }
        // Print what slow or blocked handlers did not log.
        self.log_queue.close().iter().try_for_each(|text| print_stderr(py, text))
    }
}

/// Prints a line on `sys.stderr`, like `logging` without handlers.
fn print_stderr(py: Python<'_>, text: &str) -> PyResult<()> {
    let stderr = py.import("sys")?.getattr("stderr")?;
    // `sys.stderr` may be None.
    if !stderr.is_none() {
        stderr.call_method1("write", (format!("{text}\n"),))?;
        stderr.call_method0("flush")?;
    }
    Ok(())
}

/// Polls until a condition is true, detached from the interpreter between polls, and checks for signals.
fn wait_until(py: Python<'_>, mut is_so: impl FnMut() -> PyResult<bool>) -> PyResult<()> {
    while !is_so()? {
        py.detach(|| thread::sleep(POLL_INTERVAL));
        py.check_signals()?;
    }
    Ok(())
}

/// Implements `_core.shutdown`.
pub(crate) fn shutdown(py: Python<'_>) -> PyResult<()> {
    let exit = EXIT.get_or_init(|| Exit {
        process: process::id(),
        thread: thread::current().id(),
        done: AtomicBool::new(false),
    });
    let current = *BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(background) = current.filter(|background| background.process == process::id()) else { return Ok(()) };
    // After an interrupt, the remaining steps are done nevertheless.
    let waited = background.wait_for_calls(py);
    let deadline = Instant::now() + EXIT_TIMEOUT;
    background.wakeups.close();
    py.detach(|| {
        while background.wakeups.is_attached() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    });
    let kept = background.keep_outstanding(py);
    let said = background.log_lost_calls(py);
    exit.done.store(true, Ordering::Relaxed);
    waited.and(kept).and(said)
}
