//! What runs behind Python's back: one thread for network and files, one that wakes event loops, one for log records.
//!
//! A process has one of each. A forked child starts its own, and leaves alone what it inherited.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use gptimage_binding::BackgroundRuntime;
use gptimage_core::Watch;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::time::Instant;

use crate::call::InFlight;
use crate::log::{Records, lost_at_exit};
use crate::notify::Notifier;

/// How long the interpreter's end waits for a thread of ours that is just using it, for handlers that are slow, and for files.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long an outcome that came while the interpreter's end waits for it may take to be fetched by its thread, and how long
/// that thread has to make something of it. Most take no time, and end.
const FETCHING: Duration = Duration::from_secs(1);
const USING: Duration = Duration::from_millis(100);

/// How often the interpreter's end looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The threads of one process, which live as long as it does.
pub(crate) struct Background {
    process: u32,
    pub(crate) runtime: BackgroundRuntime,
    pub(crate) notifier: Notifier,
    records: Arc<Records>,
    /// Whether a thread hands out the records.
    speaks: AtomicBool,
    /// Whose calls may be on their way, and how long the end waits for them. Only locked while attached.
    watches: Mutex<Vec<(Watch, Duration)>>,
    /// Paid calls that have begun. Only locked while attached.
    calls: Mutex<Vec<Weak<InFlight>>>,
}

/// Only locked while attached to the interpreter, and never for long; so a fork, which is made by a thread that is
/// attached, finds it unlocked.
static BACKGROUND: Mutex<Option<&'static Background>> = Mutex::new(None);

/// The interpreter's end: what begins now must not touch it from elsewhere.
static EXIT: OnceLock<Exit> = OnceLock::new();

/// How the interpreter ends.
pub(crate) struct Exit {
    process: u32,
    thread: ThreadId,
    /// We are done with it.
    done: AtomicBool,
}

impl Exit {
    fn current() -> Option<&'static Self> {
        EXIT.get().filter(|exit| exit.process == process::id())
    }

    /// The end, where a thread that it may stop at any moment begins something.
    pub(crate) fn begun_by_another_thread() -> Option<&'static Self> {
        Self::current().filter(|exit| exit.thread != thread::current().id())
    }

    /// Waits for longer than an interpreter lives that has nothing left to do: what would be paid, and lost at once, is not
    /// sent. One that lives on runs others' `atexit` functions, which may need it.
    pub(crate) async fn survived(&self) {
        while !self.done.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// This process's threads, started if need be.
pub(crate) fn background(py: Python<'_>) -> PyResult<&'static Background> {
    let failed =
        |error: &dyn std::fmt::Display| PyRuntimeError::new_err(format!("gptimage cannot start its threads: {error}"));
    let background = current(|| Background::start().map_err(|error| failed(&error)))?;
    // Before money is spent: a record that says what was lost must not depend on a thread that cannot be had.
    if Exit::current().is_none() && !background.speaks.swap(true, Ordering::Relaxed) {
        background.records.speak(py).map_err(|error| {
            background.speaks.store(false, Ordering::Relaxed);
            failed(&error)
        })?;
    }
    Ok(background)
}

/// As above, without the thread that is Python's. No code of Python's runs under the lock.
fn current(start: impl FnOnce() -> PyResult<Background>) -> PyResult<&'static Background> {
    let mut current = BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    match *current {
        Some(background) if background.process == process::id() => Ok(background),
        _ => {
            let started = start()?;
            if Exit::current().is_some() {
                started.notifier.close();
                started.records.close();
            }
            Ok(*current.insert(Box::leak(Box::new(started))))
        }
    }
}

impl Background {
    fn start() -> std::io::Result<Self> {
        let notifier = Notifier::start()?;
        let threads = BackgroundRuntime::start(|| ()).inspect_err(|_| notifier.close())?;
        Ok(Self {
            process: process::id(),
            threads,
            notifier,
            records: Records::start(),
            speaks: AtomicBool::new(false),
            watches: Mutex::default(),
            calls: Mutex::default(),
        })
    }

    /// A paid call begins.
    pub(crate) fn begins(&self, call: &Arc<InFlight>) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|call| call.strong_count() > 0);
        calls.push(Arc::downgrade(call));
    }

    fn calls(&self) -> Vec<Arc<InFlight>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect()
    }

    /// Remembers a client whose calls may be on their way at the end.
    pub(crate) fn watch(&self, watch: Watch, exit_wait: Duration) {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        // Clients that share what they keep are one: the most patient of them counts.
        let patience =
            watches.iter().find(|(known, _)| known.is_same(&watch)).map_or(exit_wait, |(_, wait)| exit_wait.max(*wait));
        watches.retain(|(known, _)| !known.is_over() && !known.is_same(&watch));
        watches.push((watch, patience));
    }

    fn watches(&self) -> Vec<(Watch, Duration)> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs something that touches files, on a thread where it may, and waits for it.
    pub(crate) fn with_files<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> PyResult<T> {
        let (done, result) = mpsc::sync_channel(1);
        drop(self.threads.spawn_blocking(move || {
            // Whoever waits is there until it is told.
            let _ = done.send(work());
        }));
        py.detach(move || result.recv())
            .map_err(|_| PyRuntimeError::new_err("a bug in gptimage: a thread of its ended early"))
    }

    /// Waits, as long as was asked for, until no call is on its way: of threads that Python does not wait for, of event loops
    /// on them, or of nobody any more.
    fn wait_for_calls(&self, py: Python<'_>) -> PyResult<()> {
        let began = Instant::now();
        let own: u64 = py.import("_thread")?.call_method0("get_ident")?.extract()?;
        let mut waiting: Vec<(Weak<InFlight>, Duration, u64)> = Vec::new();
        for call in self.calls() {
            if !call.exit_wait().is_zero() && !call.has_ended() {
                waiting.push((Arc::downgrade(&call), call.exit_wait(), call.waiter()));
            }
        }
        let drains: Vec<_> = self
            .watches()
            .into_iter()
            .filter(|(watch, patience)| !patience.is_zero() && !watch.is_over())
            // Too late is no error: what is left is told.
            .map(|(watch, patience)| {
                self.threads.spawn(async move { drop(tokio::time::timeout(patience, watch.drain()).await) })
            })
            .collect();
        let in_flight = |call: &Weak<InFlight>| call.upgrade().is_some_and(|call| !call.has_ended());
        until(py, || {
            let waits = waiting.iter().any(|(call, patience, _)| began.elapsed() < *patience && in_flight(call));
            Ok(!waits && drains.iter().all(|drain| drain.is_finished()))
        })?;
        // Whoever waited on this thread does not any more.
        waiting.retain(|(call, _, thread)| *thread != own && !in_flight(call));
        let fetching = Instant::now();
        until(py, || {
            let fetched = |call: &Weak<InFlight>| call.upgrade().is_none_or(|call| !call.is_outstanding());
            Ok(fetching.elapsed() >= FETCHING || waiting.iter().all(|(call, ..)| fetched(call)))
        })?;
        let using = Instant::now();
        until(py, || {
            if waiting.is_empty() || using.elapsed() >= USING {
                return Ok(true);
            }
            let threads = py.import("sys")?.call_method0("_current_frames")?;
            waiting.retain(|(_, _, thread)| threads.contains(thread).unwrap_or(false));
            Ok(waiting.is_empty())
        })
    }

    /// Leaves to the store, which says so or has files, what is on its way to somebody who will not be there any more.
    fn keep_outstanding(&self, py: Python<'_>) -> PyResult<()> {
        self.calls().iter().for_each(|call| call.keep_outstanding());
        let began = Instant::now();
        let watches = self.watches();
        until(py, || Ok(began.elapsed() >= PATIENCE || !watches.iter().any(|(watch, _)| watch.is_filing())))
    }

    /// Lets handlers have what there is for them, and last of all the ids of what is lost.
    fn say_what_is_lost(&self, py: Python<'_>) -> PyResult<()> {
        let watches = self.watches();
        let running: Vec<_> = watches.iter().flat_map(|(watch, _)| watch.running()).collect();
        let uncollected: Vec<_> = watches.iter().flat_map(|(watch, _)| watch.uncollected()).collect();
        if !running.is_empty() {
            self.records.send_last(lost_at_exit("while calls are on their way that may be paid", &running));
        }
        if !uncollected.is_empty() {
            self.records.send_last(lost_at_exit("with results that may be paid and nobody collected", &uncollected));
        }
        if self.speaks.load(Ordering::Relaxed) {
            py.detach(|| self.records.flush(PATIENCE));
        }
        // Handlers that take too long, or wait for what has ended, must not have the last word.
        self.records.close().iter().try_for_each(|text| say(py, text))
    }
}

/// Says a line on stderr, as `logging` does where nobody has set it up.
fn say(py: Python<'_>, text: &str) -> PyResult<()> {
    let stderr = py.import("sys")?.getattr("stderr")?;
    // A program without a terminal may have none.
    if !stderr.is_none() {
        stderr.call_method1("write", (format!("{text}\n"),))?;
        stderr.call_method0("flush")?;
    }
    Ok(())
}

/// Waits until something is so, without the interpreter, and hears signals.
fn until(py: Python<'_>, mut is_so: impl FnMut() -> PyResult<bool>) -> PyResult<()> {
    while !is_so()? {
        py.detach(|| thread::sleep(LOOK_EVERY));
        py.check_signals()?;
    }
    Ok(())
}

/// See the function of the same name in `_core`.
pub(crate) fn shutdown(py: Python<'_>) -> PyResult<()> {
    let exit = EXIT.get_or_init(|| Exit {
        process: process::id(),
        thread: thread::current().id(),
        done: AtomicBool::new(false),
    });
    let current = *BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(background) = current.filter(|background| background.process == process::id()) else { return Ok(()) };
    // Whoever is impatient is told what was left, too.
    let waited = background.wait_for_calls(py);
    let deadline = Instant::now() + PATIENCE;
    background.notifier.close();
    py.detach(|| {
        while background.notifier.is_speaking() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    });
    let kept = background.keep_outstanding(py);
    let said = background.say_what_is_lost(py);
    exit.done.store(true, Ordering::Relaxed);
    waited.and(kept).and(said)
}
