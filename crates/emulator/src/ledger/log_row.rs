//! The rows of the gateway's usage log. It holds less than the ledger, and lists calls later.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::LedgerEntry;
use crate::Price;
use crate::ident::is_client_request_id;

/// The gateway's ids of a call.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    pub(crate) request_id: String,
    pub(crate) inference_id: String,
}

/// A ledger entry with the data that only the log needs.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) entry: LedgerEntry,
    pub(crate) ids: Ids,
    /// When its response is sent or given up.
    pub(crate) answered_at: Option<Instant>,
}

/// A row of the log.
#[derive(Debug, Clone)]
pub(crate) struct LogRow {
    pub(crate) created: SystemTime,
    pub(crate) succeeded: bool,
    /// As requested; `None` if the request could not be read.
    pub(crate) model: Option<String>,
    pub(crate) price: Price,
    pub(crate) prompt_chars: usize,
    pub(crate) input_images: u32,
    pub(crate) images: u32,
    /// `None` if no response carried it.
    pub(crate) request_id: Option<String>,
    pub(crate) inference_id: String,
    pub(crate) client_request_id: Option<String>,
}

impl Record {
    /// Returns its row once `lag` has passed since the response. Requests that did not arrive whole or had no valid
    /// key have no row.
    pub(crate) fn log_row(&self, lag: Duration, now: Instant) -> Option<LogRow> {
        let entry = &self.entry;
        let listed_at = self.answered_at.and_then(|at| at.checked_add(lag))?;
        if listed_at > now || !entry.authorized || !entry.arrived_whole {
            return None;
        }
        Some(LogRow {
            created: entry.opened_at,
            // A charged call is logged as a success, even if the client saw a failure.
            succeeded: entry.generated || entry.charge.is_some(),
            model: entry.model.clone(),
            price: entry.charge.unwrap_or(Price { credits: 0 }),
            prompt_chars: entry.prompt.as_deref().map_or(0, |prompt| prompt.chars().count()),
            input_images: entry.input_images,
            images: entry.images,
            request_id: entry.status.map(|_| self.ids.request_id.clone()),
            inference_id: self.ids.inference_id.clone(),
            client_request_id: entry.client_request_id.clone().filter(|id| is_client_request_id(id)),
        })
    }
}
