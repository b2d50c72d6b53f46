//! How far a call is, for whoever shows it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::attempt::Phase;

/// A snapshot of a call on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The id that the attempt is sent with, as `X-Client-Request-Id`. Known before its first byte leaves.
    pub client_request_id: String,
    /// Most attempts that the call may take.
    pub max_attempts: u32,
    /// How far the attempt is.
    pub phase: Phase,
    /// Bytes of the request's body that the transport took.
    pub bytes_sent: u64,
    /// Length of the request's body in bytes.
    pub bytes_total: u64,
    /// Bytes that came, of the answer and of downloads.
    pub bytes_received: u64,
    /// Set between two attempts: how long the pause is.
    #[serde(rename = "pause_seconds", serialize_with = "seconds")]
    pub pause: Option<Duration>,
}

fn seconds<S: Serializer>(pause: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    pause.map(|pause| pause.as_secs_f64()).serialize(serializer)
}

/// The caller's callback. Called from the task that awaits the call.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Fn(&Progress) + Send + Sync>);

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    pub(crate) fn notify(&self, progress: &Progress) {
        // A panic in it must not take a paid picture along.
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
