//! Wakes tasks that wait for the emulator to be idle, because something may have changed.

use std::sync::Arc;

use tokio::sync::watch;

/// Counts the events that may have changed whether connections and ledger are idle.
#[derive(Debug)]
pub(crate) struct Activity(watch::Sender<u64>);

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(0)))
    }

    pub(crate) fn touch(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
