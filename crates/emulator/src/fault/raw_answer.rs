//! A response of raw bytes, which no HTTP library would write.

use bytes::Bytes;

/// Bytes sent in place of a response.
#[derive(Debug, Clone)]
pub(crate) struct RawAnswer {
    pub(crate) bytes: Bytes,
    /// Sent repeatedly after `bytes` until the peer leaves.
    pub(crate) repeated: Option<Bytes>,
}
