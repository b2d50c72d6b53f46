//! The progress of a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::attempt::Phase;

/// A snapshot of the progress of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// The number of the attempt, starting at 1.
    pub attempt: u32,
    /// The id of the attempt, sent as `X-Client-Request-Id`. It is known before the first byte is sent.
    pub client_request_id: String,
    /// The maximum number of attempts of the call.
    pub max_attempts: u32,
    /// The phase that the attempt reached.
    pub phase: Phase,
    /// Number of bytes of the request body that the HTTP library took.
    pub bytes_sent: u64,
    /// Length of the request body in bytes.
    pub bytes_total: u64,
    /// Number of bytes received, of the response and of downloads.
    pub bytes_received: u64,
    /// The length of the pause, between two attempts.
    #[serde(rename = "pause_seconds", serialize_with = "seconds")]
    pub pause: Option<Duration>,
}

fn seconds<S: Serializer>(pause: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    pause.map(|pause| pause.as_secs_f64()).serialize(serializer)
}

/// The caller's callback. It runs in the task that awaits the call.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Fn(&Progress) + Send + Sync>);

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    pub(crate) fn notify(&self, progress: &Progress) {
        // A panic in the callback must not lose a paid image.
        let notified = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.0)(progress)));
        if notified.is_err() {
            tracing::error!("the progress callback panicked; the call goes on");
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
