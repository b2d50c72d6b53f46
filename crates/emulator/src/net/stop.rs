//! Stopping an emulator: tells all tasks to end and waits for them.

use tokio::sync::watch;

/// Held by each task of an emulator. Signals when to end; as long as one exists, its task counts as running.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    asked: watch::Receiver<bool>,
}

/// The controlling side, held by the handle.
#[derive(Debug)]
pub(crate) struct Stopper {
    ask: watch::Sender<bool>,
}

impl Stop {
    pub(crate) fn new() -> (Stopper, Self) {
        let (ask, asked) = watch::channel(false);
        (Stopper { ask }, Self { asked })
    }

    /// Resolves when the emulator is to stop or its handle was dropped.
    pub(crate) async fn asked(&self) {
        let mut asked = self.asked.clone();
        // An error means that the handle was dropped, which also means to stop.
        let _ = asked.wait_for(|asked| *asked).await;
    }

    /// Runs `work` until it is done or the emulator stops.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.asked() => None,
            done = work => Some(done),
        }
    }
}

impl Stopper {
    /// Tells every task to end.
    pub(crate) fn ask(&self) {
        self.ask.send_replace(true);
    }

    /// Waits until every task has ended.
    pub(crate) async fn ended(&self) {
        // Every task holds a receiver while it runs.
        self.ask.closed().await;
    }
}
