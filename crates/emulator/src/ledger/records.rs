//! The last requests, byte for byte, for tests that check exact requests.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::Bytes;
use serde::Serialize;

use crate::sync::lock;

const KEPT_REQUESTS: usize = 64;

/// One of the two listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The gateway.
    Api,
    /// The CDN.
    Cdn,
}

/// A request as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// Which listener got it.
    pub side: Side,
    /// The method.
    pub method: String,
    /// The request target as written: path and query.
    pub target: String,
    /// Names and values in their order, as written; bytes that are not UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// The body, its transfer coding removed; `None` if it was longer than what is kept.
    pub body: Option<Bytes>,
    /// The body's length, kept or not.
    pub body_len: u64,
}

impl RecordedRequest {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The most recent requests.
#[derive(Debug)]
pub(crate) struct Records {
    requests: Mutex<VecDeque<RecordedRequest>>,
    /// Maximum size of a body that is kept; of longer ones only the length is recorded.
    pub(crate) body_cap: usize,
}

impl Records {
    pub(crate) fn new(body_cap: usize) -> Self {
        Self { requests: Mutex::default(), body_cap }
    }

    pub(crate) fn push(&self, request: RecordedRequest) {
        let mut requests = lock(&self.requests);
        if requests.len() == KEPT_REQUESTS {
            requests.pop_front();
        }
        requests.push_back(request);
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.requests).iter().cloned().collect()
    }
}
