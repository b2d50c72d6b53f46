//! The query parameters of the usage log.

use std::time::{Duration, SystemTime};

use gptimage_model::rules::GPT_IMAGE_2;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::fault::Issue;
use crate::ledger::LogRow;

const LIMIT_DEFAULT: usize = 20;
const LIMIT_MAX: usize = 100;
const PERIOD_DEFAULT: Duration = Duration::from_secs(24 * 3600);

/// The validated parameters. Unknown ones are ignored, as the gateway ignores unknown fields.
#[derive(Debug)]
pub(crate) struct Query {
    start: Option<SystemTime>,
    end: Option<SystemTime>,
    model: Option<String>,
    succeeded: Option<bool>,
    pub(crate) limit: usize,
    pub(crate) offset: usize,
}

impl Query {
    pub(crate) fn read(text: &str) -> Result<Self, Vec<Issue>> {
        let mut query = Self { start: None, end: None, model: None, succeeded: None, limit: LIMIT_DEFAULT, offset: 0 };
        let mut issues = Vec::new();
        let mut period = None;
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
            let read = match name.as_ref() {
                "period" => parse_period(&value).map(|given| period = Some(given)),
                "start" => parse_time(&value).map(|time| query.start = Some(time)),
                "end" => parse_time(&value).map(|time| query.end = Some(time)),
                "model" => {
                    query.model = Some(value.into_owned());
                    Ok(())
                }
                "status" => parse_status(&value).map(|succeeded| query.succeeded = Some(succeeded)),
                "limit" => parse_number(&value, 1, LIMIT_MAX).map(|limit| query.limit = limit),
                "offset" => parse_number(&value, 0, usize::MAX).map(|offset| query.offset = offset),
                _ => Ok(()),
            };
            issues.extend(read.err().map(|(code, message)| Issue::new(code, &name, message)));
        }
        let bounded = query.start.is_some() || query.end.is_some();
        match period {
            Some(_) if bounded => {
                issues.push(Issue::new("custom", "period", "Give either a period or start and end."));
            }
            Some(period) => query.start = SystemTime::now().checked_sub(period),
            None if !bounded => query.start = SystemTime::now().checked_sub(PERIOD_DEFAULT),
            None => {}
        }
        if query.start.zip(query.end).is_some_and(|(start, end)| start > end) {
            issues.push(Issue::new("custom", "end", "The end is before the start."));
        }
        if issues.is_empty() { Ok(query) } else { Err(issues) }
    }

    pub(crate) fn selects(&self, row: &LogRow) -> bool {
        self.start.is_none_or(|start| row.created >= start)
            && self.end.is_none_or(|end| row.created <= end)
            && self.succeeded.is_none_or(|succeeded| row.succeeded == succeeded)
            && self.model.as_deref().is_none_or(|model| same_model(model, row.model.as_deref()))
    }
}

/// Compares models; each of a model's names finds it.
fn same_model(asked: &str, of_row: Option<&str>) -> bool {
    let known = |name: &str| GPT_IMAGE_2.models.contains(&name);
    of_row.map_or(known(asked), |of_row| of_row == asked || (known(of_row) && known(asked)))
}

type Wrong = (&'static str, String);

/// Parses a period such as `30m`, `24h` or `7d`.
fn parse_period(text: &str) -> Result<Duration, Wrong> {
    let seconds = |number: &str, each: u64| number.parse::<u64>().ok()?.checked_mul(each).filter(|total| *total > 0);
    let found = [("m", 60), ("h", 3_600), ("d", 86_400)]
        .into_iter()
        .find_map(|(unit, each)| seconds(text.strip_suffix(unit)?, each));
    let message = || format!("Invalid period {text:?}: expected minutes, hours or days, such as 24h or 7d.");
    found.map(Duration::from_secs).ok_or_else(|| ("invalid_value", message()))
}

/// Parses an RFC 3339 time, or a date alone, which means midnight UTC.
fn parse_time(text: &str) -> Result<SystemTime, Wrong> {
    let date = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let time = text.parse::<Timestamp>().ok().or_else(date);
    let message = || format!("Invalid date {text:?}: expected ISO 8601, such as 2026-08-19T08:15:30Z.");
    time.map(SystemTime::from).ok_or_else(|| ("invalid_date", message()))
}

fn parse_status(text: &str) -> Result<bool, Wrong> {
    match text {
        "succeeded" => Ok(true),
        "failed" => Ok(false),
        _ => Err(("invalid_value", format!("Invalid value {text:?}: expected one of succeeded, failed."))),
    }
}

fn parse_number(text: &str, min: usize, max: usize) -> Result<usize, Wrong> {
    match text.parse::<usize>() {
        Ok(number) if number < min => Err(("too_small", format!("Out of range: {text}, expected at least {min}."))),
        Ok(number) if number > max => Err(("too_big", format!("Out of range: {text}, expected at most {max}."))),
        Ok(number) => Ok(number),
        Err(_) => Err(("invalid_type", format!("Invalid type {text:?}: expected a whole number."))),
    }
}
