//! The rate limit of the usage log.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::sync::lock;

const CALLS: usize = 200;
const WINDOW: Duration = Duration::from_secs(60);

/// Allows 200 calls in any 60 seconds.
#[derive(Debug, Default)]
pub(crate) struct CallLimit {
    taken: Mutex<VecDeque<Instant>>,
}

impl CallLimit {
    /// Counts a call. Fails with the time to wait if the limit is reached.
    pub(crate) fn take(&self) -> Result<(), Duration> {
        let now = Instant::now();
        let mut taken = lock(&self.taken);
        while taken.front().is_some_and(|first| now.saturating_duration_since(*first) >= WINDOW) {
            taken.pop_front();
        }
        match taken.front() {
            Some(first) if taken.len() >= CALLS => Err(WINDOW.saturating_sub(now.saturating_duration_since(*first))),
            _ => {
                taken.push_back(now);
                Ok(())
            }
        }
    }
}
