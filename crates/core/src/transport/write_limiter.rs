//! Limits how many responses are decoded and written at once, so that memory use does not grow with their number.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::http::{Answer, HttpError};

/// Maximum number of responses that are written without permits. With more responses, this is the number of permits.
const UNLIMITED_MAX: usize = 8;
/// Maximum time to wait for a permit. After that, a response continues without one, because files that cannot be
/// written must not block others.
const PERMIT_WAIT_MAX: Duration = Duration::from_secs(1);

/// Limits the responses of a client that are written to files.
#[derive(Debug)]
pub(crate) struct WriteLimiter {
    readers: AtomicUsize,
    /// Permits for chunks that are decoded and written at the same time. If responses come faster than they can be
    /// written, their data waits in the connections.
    permits: Semaphore,
}

impl Default for WriteLimiter {
    fn default() -> Self {
        Self { readers: AtomicUsize::new(0), permits: Semaphore::new(UNLIMITED_MAX) }
    }
}

/// Reads the body of one response.
pub(crate) struct BodyReader<'a> {
    limiter: &'a WriteLimiter,
    /// Whether the images go to files. Images in memory need no permits.
    to_files: bool,
    /// False once waiting for a permit took too long.
    waits: bool,
}

impl<'a> BodyReader<'a> {
    pub(crate) fn new(limiter: &'a WriteLimiter, to_files: bool) -> Self {
        limiter.readers.fetch_add(usize::from(to_files), Ordering::Relaxed);
        Self { limiter, to_files, waits: true }
    }

    /// Returns whether so many responses come in at once that permits are needed.
    pub(crate) fn is_limited(&self) -> bool {
        self.limiter.readers.load(Ordering::Relaxed) > UNLIMITED_MAX
    }

    /// Returns the next chunk and, if needed, the permit to hold until the chunk is written. No permit is held while
    /// waiting for the network.
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

/// Waits until this task is woken, here by the connection that was just polled.
async fn woken() {
    let mut asked = false;
    poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
