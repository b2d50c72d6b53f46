//! The JSON form of the usage log's rows.

use gptimage_model::rules::GPT_IMAGE_2;
use serde::Serialize;
use serde_json::value::RawValue;

use super::query::Query;
use crate::clock::iso8601;
use crate::ledger::LogRow;

/// Tokens reported per image: OpenAI's count for a medium square. Only meant to be plausible.
const TOKENS_PER_IMAGE: u64 = 1_056;

/// A page of the rows that a query selects.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    data: Vec<Row>,
    pagination: Pagination,
}

#[derive(Debug, Serialize)]
struct Pagination {
    limit: usize,
    offset: usize,
    total: usize,
    has_more: bool,
}

impl Page {
    /// Returns the page that the query asks for.
    pub(crate) fn of(rows: &[LogRow], query: &Query) -> Self {
        let (limit, offset, total) = (query.limit, query.offset, rows.len());
        let data: Vec<Row> = rows.iter().skip(offset).take(limit).map(Row::from).collect();
        let has_more = offset.saturating_add(data.len()) < total;
        Self { data, pagination: Pagination { limit, offset, total, has_more } }
    }
}

#[derive(Debug, Serialize)]
struct Row {
    created: String,
    status: &'static str,
    origin: &'static str,
    model: String,
    cost: Cost,
    tokens: Tokens,
    request_id: Option<String>,
    inference_id: String,
    client_request_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct Cost {
    /// The exact amount; a float could not represent it.
    usd: Option<Box<RawValue>>,
    credits: u64,
}

#[derive(Debug, Serialize)]
struct Tokens {
    input: u64,
    output: u64,
    total: u64,
}

impl From<&LogRow> for Row {
    fn from(row: &LogRow) -> Self {
        let text = row.prompt_chars.div_ceil(4) as u64;
        let input = text + u64::from(row.input_images) * TOKENS_PER_IMAGE;
        let output = u64::from(row.images) * TOKENS_PER_IMAGE;
        let canonical = GPT_IMAGE_2.models.first().copied().unwrap_or_default();
        let unknown = |model: &String| !GPT_IMAGE_2.models.contains(&model.as_str());
        Self {
            created: iso8601(row.created),
            status: if row.succeeded { "succeeded" } else { "failed" },
            origin: "api",
            model: row.model.clone().filter(unknown).unwrap_or_else(|| canonical.to_owned()),
            cost: Cost { usd: RawValue::from_string(row.price.usd()).ok(), credits: row.price.credits },
            tokens: if row.succeeded {
                Tokens { input, output, total: input + output }
            } else {
                Tokens { input: 0, output: 0, total: 0 }
            },
            request_id: row.request_id.clone(),
            inference_id: row.inference_id.clone(),
            client_request_id: row.client_request_id.clone(),
        }
    }
}
