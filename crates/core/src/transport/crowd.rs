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

/// Answers that are on their way into files, in this process.
static INCOMING: AtomicUsize = AtomicUsize::new(0);
/// More of them than this share [`TURNS`], so that memory does not grow with each.
const CROWD: usize = 8;
/// So many chunks of a crowd are decoded and written at a time. Where answers come faster than they can be written, they
/// wait undecoded in their connections.
static TURNS: Semaphore = Semaphore::const_new(CROWD);
/// A turn is a courtesy: who waited so long for one, behind files that cannot be written, goes on without.
const PATIENCE: Duration = Duration::from_secs(1);

/// One of the answers that are on their way in.
pub(crate) struct Incoming {
    /// Whether it goes to files; in memory it waits for nothing.
    to_files: bool,
    patient: bool,
}

impl Incoming {
    pub(crate) fn new(to_files: bool) -> Self {
        INCOMING.fetch_add(usize::from(to_files), Ordering::Relaxed);
        Self { to_files, patient: true }
    }

    pub(crate) fn is_crowded(&self) -> bool {
        INCOMING.load(Ordering::Relaxed) > CROWD
    }

    /// The next chunk, in a crowd with the turn in which it is to be written. No turn is held while waiting for the
    /// network.
    pub(crate) async fn chunk(
        &mut self,
        answer: &mut Answer,
    ) -> (Result<Option<Bytes>, Failure>, Option<SemaphorePermit<'static>>) {
        while self.to_files && self.patient && self.is_crowded() {
            let Ok(Ok(turn)) = timeout(PATIENCE, TURNS.acquire()).await else {
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

impl Drop for Incoming {
    fn drop(&mut self) {
        INCOMING.fetch_sub(usize::from(self.to_files), Ordering::Relaxed);
    }
}

/// Waits until something wakes this task, here the connection that was just asked.
async fn woken() {
    let mut asked = false;
    poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
