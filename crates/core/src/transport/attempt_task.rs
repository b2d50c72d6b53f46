//! The task that performs an attempt, and the handover of its result: to the caller while it waits, otherwise to the
//! salvage store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;

use super::attempt_result::AttemptResult;
use crate::attempt::Attempt;
use crate::attempt_state::AttemptState;
use crate::salvage::Salvage;

#[derive(Debug)]
enum TaskState {
    /// The caller is waiting.
    Awaited,
    /// The task has ended, and the caller has not taken the result.
    Done(Box<AttemptResult>),
    /// The caller has taken the result, or does not want it.
    Taken,
    /// The caller stopped waiting, and the task continues.
    Detached,
}

/// The state that task and caller share. One lock decides who gets the result, so that it cannot get lost.
#[derive(Debug)]
struct Shared {
    task_state: Mutex<TaskState>,
    attempt: Arc<AttemptState>,
    /// The attempts before this one. The result lists them too, even if the salvage store gets it.
    history: Arc<[Attempt]>,
    salvage: Arc<Salvage>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, TaskState> {
        self.task_state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a result without a caller to the salvage store.
    fn salvage(&self, result: AttemptResult) {
        self.salvage.put(result.into_result(&self.history));
    }
}

/// The caller's side. If dropped while the task runs, a result that may be charged goes to the salvage store.
#[derive(Debug)]
pub(crate) struct AttemptTask {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
    abort: bool,
}

/// The task's side. If dropped without a result, it reports an internal error.
struct TaskGuard {
    shared: Arc<Shared>,
    ended: bool,
}

impl AttemptTask {
    /// Starts the attempt. `history` lists the attempts before it. With `abort`, the task ends when its caller stops
    /// waiting.
    pub(crate) fn spawn(
        work: impl Future<Output = AttemptResult> + Send + 'static,
        attempt: Arc<AttemptState>,
        history: Arc<[Attempt]>,
        salvage: Arc<Salvage>,
        abort: bool,
    ) -> Self {
        let shared = Arc::new(Shared { task_state: Mutex::new(TaskState::Awaited), attempt, history, salvage });
        let mut guard = TaskGuard { shared: shared.clone(), ended: false };
        let task = tokio::spawn(async move {
            let result = work.await;
            guard.end(result);
        });
        Self { shared, task, abort }
    }

    pub(crate) fn attempt(&self) -> &AttemptState {
        &self.shared.attempt
    }

    /// Returns the attempts before this one.
    pub(crate) fn history(&self) -> &[Attempt] {
        &self.shared.history
    }

    /// Waits for the task's result.
    pub(crate) async fn wait(&mut self) -> AttemptResult {
        // The result is in the shared state. A task that panicked has none.
        let _ = (&mut self.task).await;
        self.take().unwrap_or_else(|| AttemptResult::interrupted(&self.shared.attempt))
    }

    /// Takes the result, if there is one.
    pub(crate) fn take(&mut self) -> Option<AttemptResult> {
        let mut state = self.shared.lock();
        match std::mem::replace(&mut *state, TaskState::Taken) {
            TaskState::Done(result) => Some(*result),
            other => {
                *state = other;
                None
            }
        }
    }
}

impl Drop for AttemptTask {
    fn drop(&mut self) {
        let Shared { attempt, salvage, .. } = &*self.shared;
        let mut state = self.shared.lock();
        match std::mem::replace(&mut *state, TaskState::Detached) {
            TaskState::Taken => *state = TaskState::Taken,
            TaskState::Detached => {}
            TaskState::Done(result) => self.shared.salvage(*result),
            TaskState::Awaited => {
                let maybe_paid = attempt.close_unless_paid();
                if self.abort || !maybe_paid {
                    if maybe_paid {
                        let id = attempt.client_request_id();
                        tracing::warn!(client_request_id = id, "a call that may be charged is given up, as configured");
                    }
                    *state = TaskState::Taken;
                    attempt.send_guard.close();
                    self.task.abort();
                } else {
                    salvage.begin_detached();
                }
            }
        }
    }
}

impl TaskGuard {
    fn end(&mut self, result: AttemptResult) {
        self.ended = true;
        let mut state = self.shared.lock();
        match &*state {
            TaskState::Awaited => *state = TaskState::Done(Box::new(result)),
            TaskState::Detached => {
                self.shared.salvage(result);
                self.shared.salvage.end_detached();
            }
            TaskState::Done(_) | TaskState::Taken => {}
        }
    }
}

impl Drop for TaskGuard {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if self.ended || matches!(*state, TaskState::Taken | TaskState::Done(_)) {
            return;
        }
        let attempt = &self.shared.attempt;
        let result = AttemptResult::interrupted(attempt);
        let error = result.record.error.as_deref().unwrap_or_default();
        tracing::warn!(client_request_id = attempt.client_request_id(), "a call ended early: {error}");
        if matches!(*state, TaskState::Detached) {
            self.shared.salvage(result);
            self.shared.salvage.end_detached();
        } else {
            // The caller takes it, or leaves it to the salvage store.
            *state = TaskState::Done(Box::new(result));
        }
    }
}
