//! Waiting until the ledger can no longer change.

use std::sync::Arc;

use crate::activity::Activity;
use crate::ledger::Ledger;
use crate::net::{Checkpoint, Registry};

/// The parts that have to be idle.
#[derive(Debug)]
pub(crate) struct Idle {
    pub(crate) activity: Arc<Activity>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) ledger: Arc<Ledger>,
}

impl Idle {
    /// Waits until nothing that any client has sent or done so far can change the ledger any more.
    pub(crate) async fn wait(&self) {
        let mut activity = self.activity.watch();
        loop {
            activity.borrow_and_update();
            // First what was accepted, then what is unread, then what is worked on: each can only lead to the next.
            if !self.checkpoint.pass().await {
                return;
            }
            if !self.registry.has_unread() && self.ledger.is_settled() {
                return;
            }
            if activity.changed().await.is_err() {
                return;
            }
        }
    }
}
