//! Many answers at once on their way into files: they take turns, so that memory does not grow with their number.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::http::{Answer, Failure};

/// More answers than this share the turns.
const CROWD: usize = 8;
/// A turn is a courtesy: who waited so long for one, behind files that cannot be written, goes on without.
const PATIENCE: Duration = Duration::from_secs(1);

/// The answers of one client that are on their way into files.
#[derive(Debug)]
pub(crate) struct Crowd {
    incoming: AtomicUsize,
    /// So many chunks are decoded and written at a time. Where answers come faster than they can be written, they wait
    /// undecoded in their connections.
    turns: Semaphore,
}

impl Default for Crowd {
    fn default() -> Self {
        Self { incoming: AtomicUsize::new(0), turns: Semaphore::new(CROWD) }
    }
}

/// One of the answers that are on their way in.
pub(crate) struct Incoming<'a> {
    crowd: &'a Crowd,
    /// Whether it goes to files; in memory it waits for nothing.
    to_files: bool,
    patient: bool,
}

impl<'a> Incoming<'a> {
    pub(crate) fn new(crowd: &'a Crowd, to_files: bool) -> Self {
        crowd.incoming.fetch_add(usize::from(to_files), Ordering::Relaxed);
        Self { crowd, to_files, patient: true }
    }

    pub(crate) fn is_crowded(&self) -> bool {
        self.crowd.incoming.load(Ordering::Relaxed) > CROWD
    }

    /// The next chunk, in a crowd with the turn in which it is to be written. No turn is held while waiting for the
    /// network.
    pub(crate) async fn chunk(
        &mut self,
        answer: &mut Answer,
    ) -> (Result<Option<Bytes>, Failure>, Option<SemaphorePermit<'a>>) {
        while self.to_files && self.patient && self.is_crowded() {
            let Ok(Ok(turn)) = timeout(PATIENCE, self.crowd.turns.acquire()).await else {
                self.patient = false;
                break;
            };
            let mut chunk = pin!(answer.chunk());
            if let Poll::Ready(chunk) = poll_fn(|cx| Poll::Ready(chunk.as_mut().poll(cx))).await {
                return (chunk, Some(turn));
            }
            drop(turn);
            woken().await;
        }
        (answer.chunk().await, None)
    }
}

impl Drop for Incoming<'_> {
    fn drop(&mut self) {
        self.crowd.incoming.fetch_sub(usize::from(self.to_files), Ordering::Relaxed);
    }
}

/// Waits until something wakes this task, here the connection that was just asked.
async fn woken() {
    let mut asked = false;
    poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
