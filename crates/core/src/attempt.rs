//! The record of one attempt at a charged call: its progress and its ids.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::charge::{Charge, Cost};

/// The progress of an attempt, as observed on this side. It never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Nothing was done yet.
    Planned,
    /// A connection is being established: DNS, TCP, TLS, proxy.
    Connecting,
    /// The request body is being sent.
    Sending,
    /// The HTTP library took the whole request body.
    Sent,
    /// Status and headers of the response were received.
    HeadReceived,
    /// The response body was received completely.
    BodyComplete,
    /// The images are where the call requested them: in memory, in files or, with `fetch` off, at their URLs.
    Stored,
}

impl Phase {
    /// All phases, in order.
    pub const ALL: &[Self] = &[
        Self::Planned,
        Self::Connecting,
        Self::Sending,
        Self::Sent,
        Self::HeadReceived,
        Self::BodyComplete,
        Self::Stored,
    ];

    /// Returns the stable name, such as `head_received`.
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

/// One attempt at a charged call. Results and errors list all of their attempts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Attempt {
    /// The number of the attempt, starting at 1.
    pub number: u32,
    /// The id that this client created, sent as `X-Client-Request-Id`.
    pub client_request_id: String,
    /// The vendor's id of the inference, if the server states it.
    pub inference_id: Option<String>,
    /// The vendor's id of the HTTP request, if the server states it.
    pub request_id: Option<String>,
    /// The phase that the attempt reached.
    pub phase: Phase,
    /// Number of bytes of the request body that the HTTP library took, which is an upper bound of what the server
    /// received.
    pub bytes_sent: u64,
    /// Length of the request body in bytes.
    pub bytes_total: u64,
    /// The HTTP status of the response.
    pub http_status: Option<u16>,
    /// Whether the attempt was charged.
    pub charge: Charge,
    /// The price, if the server states it.
    pub cost: Option<Cost>,
    /// The pause before the attempt. Serialised as `waited_seconds`.
    #[serde(rename = "waited_seconds", serialize_with = "seconds")]
    pub waited: Duration,
    /// The duration of the attempt. Serialised as `elapsed_seconds`.
    #[serde(rename = "elapsed_seconds", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// The reason of the failure, in one line.
    pub error: Option<String>,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}
