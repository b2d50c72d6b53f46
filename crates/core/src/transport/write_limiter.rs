//! Limits how many answers are decoded and written at once, so that memory does not grow with their number.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::http::{Answer, HttpError};

/// Answers that are written without a permit, and permits where there are more answers.
const UNLIMITED_MAX: usize = 8;
/// The longest wait for a permit. After that an answer goes on without: files that cannot be written must not stop others.
const PERMIT_WAIT_MAX: Duration = Duration::from_secs(1);

/// Shared by the answers of a client that are written to files.
#[derive(Debug)]
pub(crate) struct WriteLimiter {
    readers: AtomicUsize,
    /// Chunks that are decoded and written at a time. Where answers come faster than they can be written, they wait
    /// undecoded in their connections.
    permits: Semaphore,
}

impl Default for WriteLimiter {
    fn default() -> Self {
        Self { readers: AtomicUsize::new(0), permits: Semaphore::new(UNLIMITED_MAX) }
    }
}

/// Reads the body of one answer.
pub(crate) struct BodyReader<'a> {
    limiter: &'a WriteLimiter,
    /// Whether it goes to files; in memory it waits for nothing.
    to_files: bool,
    /// Cleared once the wait for a permit took too long.
    waits: bool,
}

impl<'a> BodyReader<'a> {
    pub(crate) fn new(limiter: &'a WriteLimiter, to_files: bool) -> Self {
        limiter.readers.fetch_add(usize::from(to_files), Ordering::Relaxed);
        Self { limiter, to_files, waits: true }
    }

    /// Whether so many answers come in at once that permits are needed.
    pub(crate) fn is_limited(&self) -> bool {
        self.limiter.readers.load(Ordering::Relaxed) > UNLIMITED_MAX
    }

    /// The next chunk, and the permit to be held until it is written, where one is needed. None is held while waiting for
    /// the network.
    pub(crate) async fn chunk(
        &mut self,
        answer: &mut Answer,
    ) -> (Result<Option<Bytes>, HttpError>, Option<SemaphorePermit<'a>>) {
        while self.to_files && self.waits && self.is_limited() {
            let Ok(Ok(permit)) = timeout(PERMIT_WAIT_MAX, self.limiter.permits.acquire()).await else {
                self.waits = false;
                break;
            };
            let mut chunk = pin!(answer.chunk());
            if let Poll::Ready(chunk) = poll_fn(|cx| Poll::Ready(chunk.as_mut().poll(cx))).await {
                return (chunk, Some(permit));
            }
            drop(permit);
            woken().await;
        }
        (answer.chunk().await, None)
    }
}

impl Drop for BodyReader<'_> {
    fn drop(&mut self) {
        self.limiter.readers.fetch_sub(usize::from(self.to_files), Ordering::Relaxed);
    }
}

/// Waits until something wakes this task, here the connection that was just asked.
async fn woken() {
    let mut asked = false;
    poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
