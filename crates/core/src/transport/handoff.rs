//! Who gets what an attempt's task yields: the caller while it waits, the salvage store once it is gone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;

use super::attempt::{Again, Concluded};
use super::retry::Reached;
use super::running::Running;
use crate::attempt::Attempt;
use crate::error::{Charge, Error, ErrorKind};
use crate::salvage::Salvage;

#[derive(Debug)]
enum Slot {
    /// The caller waits.
    Awaited,
    /// The task ended and the caller has not looked yet.
    Done(Box<Concluded>),
    /// The caller has the result.
    Taken,
    /// The caller is gone.
    Detached,
}

/// The task's end of the slot. Dropped without a result, it says so to whoever should have had one.
struct TaskSide {
    slot: Arc<Mutex<Slot>>,
    running: Arc<Running>,
    salvage: Arc<Salvage>,
    previous: Vec<Attempt>,
    ended: bool,
}

/// The caller's end of the slot. Dropped while the task runs, it leaves what is paid for to the salvage store.
#[derive(Debug)]
pub(crate) struct Handoff {
    slot: Arc<Mutex<Slot>>,
    running: Arc<Running>,
    salvage: Arc<Salvage>,
    previous: Vec<Attempt>,
    task: JoinHandle<()>,
    abort: bool,
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Handoff {
    /// `abort`: a caller that goes takes the task with it.
    pub(crate) fn spawn(
        work: impl Future<Output = Concluded> + Send + 'static,
        running: Arc<Running>,
        salvage: Arc<Salvage>,
        previous: Vec<Attempt>,
        abort: bool,
    ) -> Self {
        let slot = Arc::new(Mutex::new(Slot::Awaited));
        let mut side = TaskSide {
            slot: slot.clone(),
            running: running.clone(),
            salvage: salvage.clone(),
            previous: previous.clone(),
            ended: false,
        };
        let task = tokio::spawn(async move {
            let concluded = work.await;
            side.end(concluded);
        });
        Self { slot, running, salvage, previous, task, abort }
    }

    /// Waits for the task's result.
    pub(crate) async fn wait(&mut self) -> Concluded {
        // The outcome is in the slot; a task that panicked left none.
        let _ = (&mut self.task).await;
        self.take().unwrap_or_else(|| Concluded {
            result: Err(internal(&self.running, self.previous.clone())),
            again: Again::Never,
        })
    }

    /// The result, if there is one.
    pub(crate) fn take(&mut self) -> Option<Concluded> {
        let mut slot = lock(&self.slot);
        match std::mem::replace(&mut *slot, Slot::Taken) {
            Slot::Done(concluded) => Some(*concluded),
            other => {
                *slot = other;
                None
            }
        }
    }
}

impl Drop for Handoff {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        match std::mem::replace(&mut *slot, Slot::Detached) {
            Slot::Taken => *slot = Slot::Taken,
            Slot::Detached => {}
            Slot::Done(concluded) => self.salvage.put(concluded.result),
            Slot::Awaited => {
                let maybe_paid = self.running.close_unless_paid();
                if self.abort || !maybe_paid {
                    if maybe_paid {
                        let id = self.running.client_request_id();
                        tracing::warn!(client_request_id = id, "a call that may be charged is given up, as configured");
                    }
                    *slot = Slot::Taken;
                    self.running.gate.close();
                    self.task.abort();
                } else {
                    self.salvage.expect();
                }
            }
        }
    }
}

impl TaskSide {
    fn end(&mut self, concluded: Concluded) {
        self.ended = true;
        let mut slot = lock(&self.slot);
        match &*slot {
            Slot::Awaited => *slot = Slot::Done(Box::new(concluded)),
            Slot::Detached => {
                self.salvage.put(concluded.result);
                self.salvage.arrived();
            }
            Slot::Done(_) | Slot::Taken => {}
        }
    }
}

impl Drop for TaskSide {
    fn drop(&mut self) {
        let mut slot = lock(&self.slot);
        if self.ended || matches!(*slot, Slot::Taken | Slot::Done(_)) {
            return;
        }
        let error = internal(&self.running, std::mem::take(&mut self.previous));
        tracing::warn!(client_request_id = self.running.client_request_id(), "a call ended early: {error}");
        if matches!(*slot, Slot::Detached) {
            self.salvage.put(Err(error));
            self.salvage.arrived();
        } else {
            // Whoever waits finds it, or leaves it to the salvage store.
            *slot = Slot::Done(Box::new(Concluded { result: Err(error), again: Again::Never }));
        }
    }
}

fn internal(running: &Running, mut attempts: Vec<Attempt>) -> Error {
    running.gate.close();
    let charge = match running.reached() {
        Reached::Unsent => Charge::NotCharged,
        Reached::Sent => Charge::Unknown,
        Reached::Accepted | Reached::Located => Charge::Charged,
    };
    let message = format!(
        "the task of this call ended early, by a fault of ours or with its runtime ({charge}); client request id {}",
        running.client_request_id()
    );
    attempts.push(running.record(charge, Some(message.clone())));
    Error::new(ErrorKind::Internal, message).with_charge(charge).with_attempts(attempts)
}
