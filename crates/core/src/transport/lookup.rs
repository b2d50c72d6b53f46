//! Asking the vendor's log, page by page, until it says something of every attempt or patience ends. Free.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep, timeout};

use super::Http;
pub(crate) use super::call::within_runtime;
use super::exchange::read_bounded;
use super::retry::parse_retry_after;
use crate::config::Settings;
use crate::reconcile::Question;
use crate::wire::{ERROR_BODY_MAX, ErrorBody, LOGS_PAGE_MAX_BYTES, LogPage, LogRow, header, logs_query};

/// Pages that are read at most: 5,000 rows, within what may be asked in a minute.
const PAGES_MAX: usize = 50;
/// The first pause between two readings; it doubles up to the last.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_LONGEST: Duration = Duration::from_secs(8);
/// A page that takes longer is asked for again: asking is free.
const PAGE_LONGEST: Duration = Duration::from_secs(30);

/// What the log says.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The rows of what was asked for.
    pub(crate) rows: Vec<LogRow>,
    /// Why it could not be read whole.
    pub(crate) silence: Option<String>,
}

/// A reading that was not possible.
struct Refused {
    reason: String,
    /// `None`: asking again changes nothing.
    again: Option<Duration>,
}

/// Reads the log until each of these has a row, at most so long.
pub(crate) async fn look_up(
    http: &Http,
    settings: &Settings,
    questions: &[Question],
    period: &str,
    patience: Duration,
) -> Found {
    let open: Vec<&str> =
        questions.iter().filter(|question| question.known.is_none()).map(|q| q.client_request_id.as_str()).collect();
    let mut found = Found::default();
    if open.is_empty() {
        return found;
    }
    let began = Instant::now();
    let mut pause = PAUSE_FIRST;
    loop {
        let wait = match read_all(http, settings, &open, period).await {
            Ok(rows) => {
                found = Found { rows, silence: None };
                if open.iter().all(|id| found.rows.iter().any(|row| row.client_request_id == *id)) {
                    return found;
                }
                Duration::ZERO
            }
            Err(Refused { reason, again }) => {
                found.silence = Some(reason);
                match again {
                    Some(wait) => wait,
                    None => return found,
                }
            }
        };
        let wait = wait.max(pause);
        if began.elapsed().saturating_add(wait) > patience {
            return found;
        }
        sleep(wait).await;
        pause = (pause * 2).min(PAUSE_LONGEST);
    }
}

/// All rows of these ids, in one reading of the log.
async fn read_all(http: &Http, settings: &Settings, ids: &[&str], period: &str) -> Result<Vec<LogRow>, Refused> {
    let mut rows: Vec<LogRow> = Vec::new();
    let mut offset = 0;
    for _ in 0..PAGES_MAX {
        let page = read_page(http, settings, period, offset).await?;
        for row in page.rows {
            // A row that lands while pages are turned moves the others: some are seen twice.
            if ids.contains(&row.client_request_id.as_str()) && !rows.contains(&row) {
                rows.push(row);
            }
        }
        if !page.has_more || page.len == 0 {
            break;
        }
        offset += page.len;
    }
    Ok(rows)
}

async fn read_page(http: &Http, settings: &Settings, period: &str, offset: usize) -> Result<LogPage, Refused> {
    let refused = |what: &str, again| Refused { reason: format!("the vendor's log cannot be read: {what}"), again };
    let mut url = settings.logs_url.clone();
    url.query_pairs_mut().extend_pairs(logs_query(period, offset));
    let mut answer = match timeout(PAGE_LONGEST, http.ask(&url, &settings.authorization)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(failure)) => return Err(refused(&failure.reason, Some(Duration::ZERO))),
        Err(_) => return Err(refused("no answer came in time", Some(Duration::ZERO))),
    };
    let status = answer.status();
    if (200..300).contains(&status) {
        let body = read_bounded(&mut answer, PAGE_LONGEST, LOGS_PAGE_MAX_BYTES).await;
        return LogPage::parse(&body, &settings.key)
            .ok_or_else(|| refused("the answer is no page of a log", Some(Duration::ZERO)));
    }
    let wait = answer.header(header::RETRY_AFTER).and_then(|text| parse_retry_after(text, SystemTime::now()));
    let body = read_bounded(&mut answer, PAGE_LONGEST, ERROR_BODY_MAX).await;
    let said = ErrorBody::parse(&body, &settings.key).message.unwrap_or_else(|| "it gave no reason".to_owned());
    let again = matches!(status, 408 | 429 | 500..).then(|| wait.unwrap_or_default());
    Err(refused(&format!("{said} ({status})"), again))
}
