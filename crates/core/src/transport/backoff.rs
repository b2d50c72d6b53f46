//! Calculates the pauses between attempts. Pure: the clock and the random number are passed in.

use std::time::{Duration, SystemTime};

/// Parses a `Retry-After` header: seconds, or a date compared with `now`. `None` if it cannot be parsed.
pub(crate) fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Returns the pause after this number of attempts: random below an exponentially growing bound (full jitter), but not
/// less than `retry_after`. `random_fraction` is in 0..1.
pub(crate) fn backoff(
    attempts: u32,
    first: Duration,
    longest: Duration,
    retry_after: Option<Duration>,
    random_fraction: f64,
) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let bound = first.saturating_mul(doubled).min(longest);
    bound.mul_f64(random_fraction.clamp(0.0, 1.0)).max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_all_its_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let seconds = |text| parse_retry_after(text, now).map(|wait| wait.as_secs_f64());
        assert_eq!(seconds("3"), Some(3.0));
        assert_eq!(seconds(" 0 "), Some(0.0));
        assert_eq!(seconds("1.5"), Some(1.5));
        assert_eq!(seconds("1000000000"), Some(1e9));
        assert_eq!(seconds("Sun, 09 Sep 2001 01:47:10 GMT"), Some(30.0));
        assert_eq!(seconds("Sun, 09 Sep 2001 01:46:00 GMT"), Some(0.0), "a date that has passed");
        for nonsense in ["", "-1", "NaN", "inf", "1e400", "soon", "Sun, 99 Sep 2001 01:46:00 GMT"] {
            assert_eq!(seconds(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn waits_double_up_to_their_bound_and_honour_the_server() {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(8));
        let longest_wait = |attempts| backoff(attempts, first, longest, None, 1.0).as_secs_f64();
        assert_eq!([1, 2, 3, 4, 5, 6, 60].map(longest_wait), [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
        assert_eq!(backoff(3, first, longest, None, 0.0), Duration::ZERO, "full jitter");
        let asked = Duration::from_secs(30);
        assert_eq!(backoff(1, first, longest, Some(asked), 0.9), asked);
        assert!(
            backoff(9, first, longest, Some(Duration::ZERO), 0.5) > Duration::ZERO,
            "no storm after Retry-After: 0"
        );
    }
}
