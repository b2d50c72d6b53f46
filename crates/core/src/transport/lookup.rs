//! Asking the vendor's log, page by page, until it says something of every attempt or patience ends. Free.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep, timeout};

use super::Http;
pub(crate) use super::call::within_runtime;
use super::exchange::read_bounded;
use super::explain::words;
use super::retry::parse_retry_after;
use crate::config::Settings;
use crate::reconcile::{Question, is_settled};
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

/// Reads the log until it says of each of these what became of it, at most so long. A row that says that the call is still
/// running, and rows that contradict each other, are waited for like one that is not there yet.
pub(crate) async fn look_up(
    http: &Http,
    settings: &Settings,
    questions: &[Question],
    period: &str,
    patience: Duration,
) -> Found {
    let open: Vec<&Question> = questions.iter().filter(|question| question.known.is_none()).collect();
    let mut found = Found::default();
    if open.is_empty() {
        return found;
    }
    let ids: Vec<&str> = open.iter().map(|question| question.client_request_id.as_str()).collect();
    let began = Instant::now();
    let mut pause = PAUSE_FIRST;
    loop {
        let wait = match read_all(http, settings, &ids, period).await {
            Ok(rows) => {
                found = Found { rows, silence: None };
                if open.iter().all(|question| is_settled(question, &found.rows)) {
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
        let left = patience.saturating_sub(began.elapsed());
        let Some(wait) = next_reading(pause, wait, left) else { return found };
        sleep(wait).await;
        pause = (pause * 2).min(PAUSE_LONGEST);
    }
}

/// When to read again, of the patience that is `left`: after our own `pause` and what the server asks for, or at patience's end,
/// unless there was a reading just before.
fn next_reading(pause: Duration, asked_for: Duration, left: Duration) -> Option<Duration> {
    let pause = if pause > left && left >= PAUSE_FIRST { left } else { pause };
    Some(pause.max(asked_for)).filter(|wait| *wait <= left)
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
        Ok(Err(failure)) => return Err(refused(&failure.reason, (!failure.lasting).then_some(Duration::ZERO))),
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
    let body = ErrorBody::parse(&body, &settings.key);
    let again = matches!(status, 408 | 429 | 500..).then(|| wait.unwrap_or_default());
    Err(refused(&format!("{} ({status})", words(&body)), again))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_patience_is_a_reading_too() {
        let seconds = Duration::from_secs_f64;
        for (pause, asked_for, left, expected) in [
            (0.5, 0.0, 20.0, Some(0.5)),
            (8.0, 0.0, 4.5, Some(4.5)),
            (8.0, 0.0, 8.0, Some(8.0)),
            // The one before was just now.
            (1.0, 0.0, 0.3, None),
            (0.5, 0.0, 0.0, None),
            // The server asks for more, or for too much.
            (0.5, 3.0, 20.0, Some(3.0)),
            (0.5, 30.0, 20.0, None),
            (8.0, 5.0, 4.5, None),
        ] {
            let wait = next_reading(seconds(pause), seconds(asked_for), seconds(left));
            assert_eq!(wait, expected.map(seconds), "{pause} {asked_for} {left}");
        }
    }
}
