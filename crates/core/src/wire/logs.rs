//! The wire form of the vendor's usage log.

use serde_json::value::RawValue;

use super::members::members;
use super::price::Price;
use crate::secret::ApiKey;
use crate::text;

/// Number of rows per page, which is the maximum that the server allows.
pub(crate) const LOGS_PAGE: usize = 100;
/// Maximum length of a page that is read, in bytes.
pub(crate) const LOGS_PAGE_MAX_BYTES: usize = 1 << 20;

/// Returns the query of one page.
pub(crate) fn logs_query(period: &str, offset: usize) -> [(&'static str, String); 3] {
    [("period", period.to_owned()), ("limit", LOGS_PAGE.to_string()), ("offset", offset.to_string())]
}

/// A page of the log, newest rows first.
#[derive(Debug)]
pub(crate) struct LogPage {
    /// The rows that can be read.
    pub(crate) rows: Vec<LogRow>,
    /// The number of rows on the page, including unreadable ones.
    pub(crate) len: usize,
    pub(crate) has_more: bool,
}

/// A row of the vendor's usage log, which stands for one call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogRow {
    pub(crate) client_request_id: String,
    pub(crate) status: LogStatus,
    pub(crate) price: Price,
    pub(crate) inference_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) created: Option<String>,
}

/// The status of a call in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogStatus {
    Succeeded,
    Failed,
    /// The call has not ended. The vendor does not document this status.
    Running,
    /// Any other undocumented status, or none.
    Other,
}

impl LogStatus {
    fn of(word: &str) -> Self {
        match word {
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            _ => {
                let plain: String =
                    word.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect();
                match plain.as_str() {
                    "running" | "pending" | "processing" | "inprogress" | "inprocess" | "queued" | "queueing"
                    | "submitted" | "started" | "starting" | "created" | "accepted" | "waiting" | "generating"
                    | "active" | "incomplete" | "scheduled" | "new" | "open" => Self::Running,
                    _ => Self::Other,
                }
            }
        }
    }
}

impl LogPage {
    /// Parses a page. `None` if the text is not a page. Rows without a client request id are left out.
    pub(crate) fn parse(body: &[u8], key: &ApiKey) -> Option<Self> {
        let page = members(std::str::from_utf8(body).ok()?)?;
        let data: Vec<&RawValue> = serde_json::from_str(page.get("data")?.get()).ok()?;
        let pagination = page.get("pagination").and_then(|pagination| members(pagination.get()));
        let has_more = pagination.and_then(|pagination| serde_json::from_str(pagination.get("has_more")?.get()).ok());
        Some(Self {
            len: data.len(),
            rows: data.iter().filter_map(|row| LogRow::parse(row.get(), key)).collect(),
            has_more: has_more.unwrap_or(false),
        })
    }
}

impl LogRow {
    fn parse(row: &str, key: &ApiKey) -> Option<Self> {
        let row = members(row)?;
        let text = |name: &str| {
            let text: Option<String> = serde_json::from_str(row.get(name)?.get()).ok()?;
            text.filter(|text| !text.is_empty()).map(|text| text::shorten(&key.redact(&text), 128))
        };
        Some(Self {
            client_request_id: text("client_request_id")?,
            status: text("status").map_or(LogStatus::Other, |word| LogStatus::of(&word)),
            price: Price::from_member(row.get("cost").copied(), "usd", "credits", key, &mut Vec::new()),
            inference_id: text("inference_id"),
            request_id: text("request_id"),
            created: text("created"),
        })
    }
}
