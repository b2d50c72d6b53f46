//! Reads the vendor's usage log page by page, repeatedly, until it is complete or the time is up. Free of charge.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep, timeout};

use super::backoff::parse_retry_after;
use super::http::Http;
use crate::config::Settings;
use crate::wire::{ERROR_BODY_MAX, ErrorBody, LOGS_PAGE_MAX_BYTES, LogPage, LogRow, header, logs_query};

/// Maximum number of pages per reading: 5,000 rows, which is within the rate limit per minute.
const PAGES_MAX: usize = 50;
/// First pause between two readings. It doubles up to [`PAUSE_LONGEST`].
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_LONGEST: Duration = Duration::from_secs(8);
/// Maximum time to wait for a page before it is requested again.
const PAGE_LONGEST: Duration = Duration::from_secs(30);

/// The rows that were read, or why they could not be read.
#[derive(Debug, Default)]
pub(crate) struct UsageLog {
    /// The rows of the requested ids.
    pub(crate) rows: Vec<LogRow>,
    /// Why the log could not be read completely.
    pub(crate) unreadable: Option<String>,
}

/// Why one reading failed.
struct LogError {
    reason: String,
    /// The pause that the server asks for. `None` means that another reading will fail too.
    retry_after: Option<Duration>,
}

/// Reads the rows of these client request ids, repeatedly, until `is_complete` returns true or `limit` has passed.
pub(crate) async fn read_usage_log(
    http: &Http,
    settings: &Settings,
    ids: &[&str],
    period: &str,
    limit: Duration,
    is_complete: impl Fn(&[LogRow]) -> bool,
) -> UsageLog {
    let mut log = UsageLog::default();
    if ids.is_empty() {
        return log;
    }
    let began = Instant::now();
    let mut pause = PAUSE_FIRST;
    loop {
        let retry_after = match read_all(http, settings, ids, period).await {
            Ok(rows) => {
                log = UsageLog { rows, unreadable: None };
                if is_complete(&log.rows) {
                    return log;
                }
                Duration::ZERO
            }
            Err(LogError { reason, retry_after }) => {
                log.unreadable = Some(reason);
                match retry_after {
                    Some(pause) => pause,
                    None => return log,
                }
            }
        };
        let left = limit.saturating_sub(began.elapsed());
        let Some(wait) = next_reading(pause, retry_after, left) else { return log };
        sleep(wait).await;
        pause = (pause * 2).min(PAUSE_LONGEST);
    }
}

/// Returns the pause before the next reading: `pause`, or the longer one that the server asks for. A `pause` that
/// exceeds the time `left` is cut to it, unless too little is left. `None` if there is no time for another reading.
fn next_reading(pause: Duration, asked_for: Duration, left: Duration) -> Option<Duration> {
    let pause = if pause > left && left >= PAUSE_FIRST { left } else { pause };
    Some(pause.max(asked_for)).filter(|wait| *wait <= left)
}

/// Reads all rows of these ids once.
async fn read_all(http: &Http, settings: &Settings, ids: &[&str], period: &str) -> Result<Vec<LogRow>, LogError> {
    let mut rows: Vec<LogRow> = Vec::new();
    let mut offset = 0;
    for _ in 0..PAGES_MAX {
        let page = read_page(http, settings, period, offset).await?;
        for row in page.rows {
            // A row that is added between two page requests shifts the others, so some appear twice.
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

async fn read_page(http: &Http, settings: &Settings, period: &str, offset: usize) -> Result<LogPage, LogError> {
    let refused =
        |what: &str, retry_after| LogError { reason: format!("the vendor's log cannot be read: {what}"), retry_after };
    let mut url = settings.logs_url.clone();
    url.query_pairs_mut().extend_pairs(logs_query(period, offset));
    let mut answer = match timeout(PAGE_LONGEST, http.ask(&url, &settings.authorization)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(refused(&error.reason, (!error.permanent).then_some(Duration::ZERO))),
        Err(_) => return Err(refused("no answer came in time", Some(Duration::ZERO))),
    };
    let status = answer.status();
    if (200..300).contains(&status) {
        let body = answer.read_bounded(PAGE_LONGEST, LOGS_PAGE_MAX_BYTES).await;
        return LogPage::parse(&body, &settings.key)
            .ok_or_else(|| refused("the answer is no page of a log", Some(Duration::ZERO)));
    }
    let wait = answer.header(header::RETRY_AFTER).and_then(|text| parse_retry_after(text, SystemTime::now()));
    let body = answer.read_bounded(PAGE_LONGEST, ERROR_BODY_MAX).await;
    let body = ErrorBody::parse(&body, &settings.key);
    let retry_after = matches!(status, 408 | 429 | 500..).then(|| wait.unwrap_or_default());
    Err(refused(&format!("{} ({status})", body.message_or_default()), retry_after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_wait_is_a_reading_too() {
        let seconds = Duration::from_secs_f64;
        for (pause, asked_for, left, expected) in [
            (0.5, 0.0, 20.0, Some(0.5)),
            (8.0, 0.0, 4.5, Some(4.5)),
            (8.0, 0.0, 8.0, Some(8.0)),
            // Too little time is left since the last reading.
            (1.0, 0.0, 0.3, None),
            (0.5, 0.0, 0.0, None),
            // The server asks for a longer pause, or for one that is too long.
            (0.5, 3.0, 20.0, Some(3.0)),
            (0.5, 30.0, 20.0, None),
            (8.0, 5.0, 4.5, None),
        ] {
            let wait = next_reading(seconds(pause), seconds(asked_for), seconds(left));
            assert_eq!(wait, expected.map(seconds), "{pause} {asked_for} {left}");
        }
    }
}
