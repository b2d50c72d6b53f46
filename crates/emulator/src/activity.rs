//! Tells whoever waits for idleness that something may have changed.

use std::sync::Arc;

use tokio::sync::watch;

/// Counts what may have changed the idleness of connections and ledger.
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
