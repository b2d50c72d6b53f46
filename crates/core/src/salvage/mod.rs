//! Results whose callers stopped waiting. They were paid for, so they are kept, in memory or in a folder.

mod folder;
mod outcome;
mod record;
mod stored;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::watch;

use self::folder::Folder;
pub(crate) use self::folder::make as make_folder;
pub use self::outcome::Pending;
use self::outcome::{Outcome, ended, ids, memory};
use crate::attempt_state::AttemptState;
use crate::charge::Charge;
use crate::runtime::blocking_if_possible;

/// Keeps the results of calls whose callers are gone.
#[derive(Debug)]
pub(crate) struct Salvage {
    kept: Mutex<StoredResults>,
    max_bytes: u64,
    folder: Option<Folder>,
    /// Number of calls that continue without their callers, and of results that are being written to the folder.
    detached_count: watch::Sender<usize>,
    /// Number of results that are being written to the folder.
    filing: AtomicUsize,
    /// Attempts that have not ended, with or without callers.
    attempts: Mutex<Vec<Weak<AttemptState>>>,
    /// The runtime on which files are written, because results arrive on threads that must not block.
    runtime: Mutex<Option<Handle>>,
}

/// The results in memory, oldest first, each with a unique number.
#[derive(Debug, Default)]
struct StoredResults {
    list: VecDeque<(u64, Outcome)>,
    next: u64,
}

impl StoredResults {
    fn get(&self, number: u64) -> Option<&Outcome> {
        self.list.iter().find(|(known, _)| *known == number).map(|(_, outcome)| outcome)
    }
}

impl Salvage {
    pub(crate) fn new(max_bytes: u64, folder: Option<PathBuf>) -> Self {
        Self {
            kept: Mutex::default(),
            max_bytes,
            folder: folder.map(Folder::new),
            detached_count: watch::Sender::new(0),
            filing: AtomicUsize::new(0),
            attempts: Mutex::default(),
            runtime: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, StoredResults> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runtime(&self) -> MutexGuard<'_, Option<Handle>> {
        self.runtime.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers an attempt that begins. Must be called inside the runtime.
    pub(crate) fn track(&self, attempt: &Arc<AttemptState>) {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.retain(|attempt| attempt.strong_count() > 0);
        attempts.push(Arc::downgrade(attempt));
        drop(attempts);
        if self.folder.is_some() {
            *self.runtime() = Handle::try_current().ok();
        }
    }

    /// Returns the attempts that may be charged and have not ended.
    pub(crate) fn in_flight(&self) -> Vec<Pending> {
        let attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        let running = attempts.iter().filter_map(Weak::upgrade).filter(|attempt| attempt.may_be_paid());
        running
            .map(|attempt| Pending {
                client_request_id: Some(attempt.client_request_id().to_owned()),
                phase: attempt.record(Charge::Unknown, None).phase,
                ended: false,
            })
            .collect()
    }

    /// Returns the results that are lost when the process ends, because not all of their images are in files.
    pub(crate) fn ends_with_process(&self) -> Vec<Pending> {
        let is_filed = |outcome: &Outcome| {
            outcome.as_ref().is_ok_and(|generated| generated.images().iter().all(|image| image.path().is_some()))
        };
        self.kept().list.iter().filter(|(_, outcome)| !is_filed(outcome)).map(|(_, outcome)| ended(outcome)).collect()
    }

    /// Returns every call that may be charged and whose result was not collected. Reads the folder.
    pub(crate) fn pending(&self) -> Vec<Pending> {
        let mut pending = self.in_flight();
        pending.extend(self.kept().list.iter().map(|(_, outcome)| ended(outcome)));
        pending.extend(self.folder.iter().flat_map(Folder::list));
        pending
    }

    /// Counts a call that continues without its caller.
    pub(crate) fn begin_detached(&self) {
        self.detached_count.send_modify(|count| *count += 1);
    }

    /// Counts such a call as ended.
    pub(crate) fn end_detached(&self) {
        self.detached_count.send_modify(|count| *count = count.saturating_sub(1));
    }

    /// Keeps a result, unless it cost nothing. Does not write files on this thread. If memory is full, the oldest
    /// results are dropped and logged.
    pub(crate) fn put(self: &Arc<Self>, outcome: Outcome) {
        if matches!(&outcome, Err(error) if error.charge() == Charge::NotCharged) {
            return;
        }
        let mut kept = self.kept();
        let number = kept.next;
        kept.next += 1;
        kept.list.push_back((number, outcome));
        while kept.list.len() > 1 && kept.list.iter().map(|(_, outcome)| memory(outcome)).sum::<u64>() > self.max_bytes
        {
            if let Some((_, lost)) = kept.list.pop_front() {
                tracing::error!(ids = ?ids(&lost), "the salvage store is full: a paid result was pushed out");
            }
        }
        drop(kept);
        self.move_to_folder(number);
    }

    /// Starts writing a result to the folder on another thread. The result stays in memory until it is written.
    fn move_to_folder(self: &Arc<Self>, number: u64) {
        if self.folder.is_none() {
            return;
        }
        let runtime = self.runtime().clone().or_else(|| Handle::try_current().ok());
        if let Some(runtime) = runtime {
            let filing = Filing::new(self.clone());
            // If the runtime has ended or no thread can be started, the work is dropped and the result stays in memory.
            blocking_if_possible(&runtime, move || filing.0.write_down(number));
        }
    }

    fn write_down(&self, number: u64) {
        let Some(folder) = &self.folder else { return };
        let Some(outcome) = self.kept().get(number).cloned() else { return };
        let published = folder.write(&outcome).and_then(|written| {
            let mut kept = self.kept();
            if kept.get(number).is_none() {
                // The result was collected in the meantime.
                written.discard();
                return Ok(());
            }
            // Under the lock, so that a result is never found in both places or in neither.
            written.publish()?;
            kept.list.retain(|(known, _)| *known != number);
            Ok(())
        });
        match published {
            Ok(()) => folder.sync(),
            Err(error) => {
                tracing::warn!(ids = ?ids(&outcome), %error, "the salvage folder cannot be written: kept in memory");
            }
        }
    }

    /// Takes all results out of memory and the folder. Reads the folder.
    pub(crate) fn collect(&self) -> Vec<Outcome> {
        let mut outcomes: Vec<_> = self.kept().list.drain(..).map(|(_, outcome)| outcome).collect();
        outcomes.extend(std::iter::from_fn(|| self.folder.as_ref()?.claim()));
        outcomes
    }

    /// Takes the oldest result out of memory, or else out of the folder. Reads the folder.
    pub(crate) fn collect_one(&self) -> Option<Outcome> {
        let oldest = self.kept().list.pop_front();
        oldest.map(|(_, outcome)| outcome).or_else(|| self.folder.as_ref()?.claim())
    }

    /// Returns whether results are being written to the folder.
    pub(crate) fn is_filing(&self) -> bool {
        self.filing.load(Ordering::Relaxed) > 0
    }

    /// Waits until no call is running without its caller and every result is stored.
    pub(crate) async fn drain(&self) {
        // The sender lives as long as this store, so waiting cannot fail.
        let _ = self.detached_count.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Salvage {
    /// Logs the results that are lost with the last client, because nothing else can collect them.
    fn drop(&mut self) {
        let lost = self.ends_with_process();
        if !lost.is_empty() {
            let ids: Vec<_> = lost.iter().filter_map(|pending| pending.client_request_id.as_deref()).collect();
            tracing::warn!(?ids, "a client ends with results that may be paid and nobody collected");
        }
    }
}

/// A result that is being written to the folder. `drain` waits for it.
struct Filing(Arc<Salvage>);

impl Filing {
    fn new(salvage: Arc<Salvage>) -> Self {
        salvage.begin_detached();
        salvage.filing.fetch_add(1, Ordering::Relaxed);
        Self(salvage)
    }
}

impl Drop for Filing {
    fn drop(&mut self) {
        self.0.filing.fetch_sub(1, Ordering::Relaxed);
        self.0.end_detached();
    }
}
