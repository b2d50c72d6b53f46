//! Stopping an emulator: tasks are asked to end, and their end is awaited.

use tokio::sync::watch;

/// Held by each task of an emulator: says when to end, and that the task has not ended yet.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    asked: watch::Receiver<bool>,
}

/// The other side, held by the handle.
#[derive(Debug)]
pub(crate) struct Stopper {
    ask: watch::Sender<bool>,
}

impl Stop {
    pub(crate) fn new() -> (Stopper, Self) {
        let (ask, asked) = watch::channel(false);
        (Stopper { ask }, Self { asked })
    }

    /// Resolves when the emulator is to stop, or its handle is gone.
    pub(crate) async fn asked(&self) {
        let mut asked = self.asked.clone();
        // An error means that the handle is gone, which asks for the same.
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
    /// Asks every task to end.
    pub(crate) fn ask(&self) {
        self.ask.send_replace(true);
    }

    /// Waits until every task has ended.
    pub(crate) async fn ended(&self) {
        // Every task has a receiver as long as it runs.
        self.ask.closed().await;
    }
}
