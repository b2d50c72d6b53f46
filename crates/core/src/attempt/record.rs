//! The record of one charged attempt: how far it came, under which ids.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::charge::{Charge, Cost};

/// How far an attempt came, from what our own code did. It only goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Nothing was done yet.
    Planned,
    /// Name lookup, TCP, TLS, proxy.
    Connecting,
    /// The transport is taking the body.
    Sending,
    /// The transport took the body whole.
    Sent,
    /// Status and headers of the answer came.
    HeadReceived,
    /// The answer's body came whole.
    BodyComplete,
    /// The pictures are where they were asked to be.
    Stored,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: &[Self] = &[
        Self::Planned,
        Self::Connecting,
        Self::Sending,
        Self::Sent,
        Self::HeadReceived,
        Self::BodyComplete,
        Self::Stored,
    ];

    /// The stable name, such as `head_received`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Connecting => "connecting",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::HeadReceived => "head_received",
            Self::BodyComplete => "body_complete",
            Self::Stored => "stored",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Phase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One attempt at a charged call. Results and errors list all of theirs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// The id that we gave it, sent as `X-Client-Request-Id`.
    pub client_request_id: String,
    /// The vendor's id of the work, where stated.
    pub inference_id: Option<String>,
    /// The vendor's id of the HTTP request, where stated.
    pub request_id: Option<String>,
    /// How far it came.
    pub phase: Phase,
    /// Bytes of the request's body that the transport took: an upper bound of what the server has.
    pub bytes_sent: u64,
    /// Length of the request's body in bytes.
    pub bytes_total: u64,
    /// The answer's status.
    pub http_status: Option<u16>,
    /// What is known about money.
    pub charge: Charge,
    /// The price, where stated.
    pub cost: Option<Cost>,
    /// Seconds slept before this attempt.
    #[serde(rename = "waited_seconds", serialize_with = "seconds")]
    pub waited: Duration,
    /// From its start to its end, in seconds.
    #[serde(rename = "elapsed_seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// Why it failed, in one line.
    pub error: Option<String>,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
