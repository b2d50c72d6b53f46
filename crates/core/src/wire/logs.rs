//! The vendor's log of calls, as it travels.

use serde_json::value::RawValue;

use super::members::members;
use super::price::Price;
use crate::secret::ApiKey;
use crate::text;

/// Rows that are asked for at once: the most there are.
pub(crate) const LOGS_PAGE: usize = 100;
/// Longest page that is read, in bytes.
pub(crate) const LOGS_PAGE_MAX_BYTES: usize = 1 << 20;

/// The query of one page.
pub(crate) fn logs_query(period: &str, offset: usize) -> [(&'static str, String); 3] {
    [("period", period.to_owned()), ("limit", LOGS_PAGE.to_string()), ("offset", offset.to_string())]
}

/// A part of the log, newest rows first.
#[derive(Debug)]
pub(crate) struct LogPage {
    /// Those that can be read.
    pub(crate) rows: Vec<LogRow>,
    /// How many the page has, readable or not.
    pub(crate) len: usize,
    pub(crate) has_more: bool,
}

/// A row of the vendor's log: one call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogRow {
    pub(crate) client_request_id: String,
    pub(crate) status: LogStatus,
    pub(crate) price: Price,
    pub(crate) inference_id: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) created: Option<String>,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogStatus {
    Succeeded,
    Failed,
    /// It did not end yet, in words that are not documented.
    Running,
    /// Any other word that is not documented, or none.
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
    /// Reads a page; `None`: it is none. Rows without an id of ours are left out.
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
