//! One entry of the ledger.

use std::time::SystemTime;

use serde::{Serialize, Serializer};

use crate::clock::iso8601;
use crate::{Operation, Price};

/// The record of one paid POST that reached the server.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// Position in the order of arrival, from 1.
    pub seq: u64,
    /// When its head had arrived.
    #[serde(serialize_with = "as_iso8601")]
    pub opened_at: SystemTime,
    /// The `X-Client-Request-Id` as sent, whatever its alphabet.
    pub client_request_id: Option<String>,
    /// Which operation was asked for.
    #[serde(serialize_with = "as_word")]
    pub operation: Operation,
    /// Whether its key was accepted.
    pub authorized: bool,
    /// Whether every byte of the request arrived. Bytes beyond a scripted cut count as not arrived.
    pub arrived_whole: bool,
    /// Bytes of the body that arrived.
    pub bytes_received: u64,
    /// Whether the work was done.
    pub generated: bool,
    /// The charge; `None` if nothing was charged.
    pub charge: Option<Price>,
    /// Whether the whole response was written to the socket.
    pub delivered: bool,
    /// The status that the server answered, delivered or not; `None` if it never came to an answer.
    pub status: Option<u16>,
    /// The gateway's id of the work, once it was accepted.
    pub inference_id: Option<String>,
    /// The model asked for, if the request could be read.
    pub model: Option<String>,
    /// The prompt, if the request could be read.
    pub prompt: Option<String>,
    /// Pictures made.
    pub images: u32,
    /// Pictures given as input, the mask left out.
    pub input_images: u32,
}

impl LedgerEntry {
    pub(crate) fn new(seq: u64, operation: Operation) -> Self {
        Self {
            seq,
            opened_at: SystemTime::now(),
            client_request_id: None,
            operation,
            authorized: false,
            arrived_whole: false,
            bytes_received: 0,
            generated: false,
            charge: None,
            delivered: false,
            status: None,
            inference_id: None,
            model: None,
            prompt: None,
            images: 0,
            input_images: 0,
        }
    }
}

fn as_iso8601<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&iso8601(*time))
}

fn as_word<S: Serializer>(operation: &Operation, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(operation.as_str())
}
