//! `Retry-After`: seconds or a date, compared with other parsers of both.

use std::time::{Duration, SystemTime};

use gptimage_core::internals::{backoff, parse_retry_after};
use jiff::fmt::rfc2822;

/// The clock of this target: 2026-01-01.
const NOW: u64 = 1_767_225_600;

/// Tests the bytes as the header's text. The first byte is also the random fraction.
pub fn retry_after(data: &[u8]) {
    let (fraction, text) = data.split_first().map_or((0, &[][..]), |(fraction, text)| (*fraction, text));
    let Ok(text) = std::str::from_utf8(text) else { return };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let asked = parse_retry_after(text, now);
    let trimmed = text.trim();
    if !trimmed.is_empty() && trimmed.len() < 16 && trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
        assert_eq!(asked, Some(Duration::from_secs(trimmed.parse().unwrap())), "whole seconds are those");
    }
    if let Some(later) = imf_fixdate(trimmed) {
        let expected = u64::try_from(later).unwrap_or(0).saturating_sub(NOW);
        // A date with the wrong day of the week may be refused.
        assert!(asked.is_none_or(|asked| asked.as_secs() == expected), "{asked:?} is not {expected} s");
    }
    let (first, longest) = (Duration::from_millis(500), Duration::from_secs(8));
    let pause = backoff(u32::from(fraction), first, longest, asked, f64::from(fraction) / 255.0);
    assert!(pause >= asked.unwrap_or_default(), "not sooner than asked");
    assert!(pause <= longest.max(asked.unwrap_or_default()), "not longer than need be");
}

/// Parses `Sun, 06 Nov 1994 08:49:37 GMT`, and no other form, to seconds since the epoch.
fn imf_fixdate(text: &str) -> Option<i64> {
    if text.len() != 29 || !text.ends_with(" GMT") || !text.is_ascii() || text.contains("  ") {
        return None;
    }
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(|time| time.as_second())
}
