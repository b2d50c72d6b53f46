//! Durations as text, in settings, faults and on the command line.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads `2s`, `150ms`, `1m 30s` or a bare number of seconds.
///
/// # Errors
/// A message that says what to write, if the text is none of these.
///
/// ```
/// use std::time::Duration;
/// use gptimage_emulator::parse_duration;
///
/// assert_eq!(parse_duration("1m30s"), Ok(Duration::from_secs(90)));
/// assert_eq!(parse_duration("0.5"), Ok(Duration::from_millis(500)));
/// assert!(parse_duration("soon").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let units = || text.parse::<SignedDuration>().ok().and_then(|signed| Duration::try_from(signed).ok());
    seconds.or_else(units).ok_or_else(|| format!("{text:?} is not a duration: write it like 2s, 150ms or 1m30s"))
}

/// `90s`, `150ms`: what [`parse_duration`] reads back.
pub(crate) fn duration_text(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns")];
    let (size, unit) = units.into_iter().find(|(size, _)| nanos.is_multiple_of(*size)).unwrap_or((1, "ns"));
    format!("{}{unit}", nanos / size)
}

/// A duration in JSON: a text, or a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DurationText(pub(crate) Duration);

impl Serialize for DurationText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&duration_text(self.0))
    }
}

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a duration, like \"2s\", \"150ms\" or a number of seconds")]
        enum Given {
            Seconds(f64),
            Text(String),
        }
        let parsed = match Given::deserialize(deserializer)? {
            Given::Text(text) => parse_duration(&text),
            Given::Seconds(seconds) => parse_duration(&seconds.to_string()),
        };
        parsed.map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_back() {
        for micros in [0, 1, 999, 1_000, 61_500_000, 3_600_000_000, 90_061_001_000] {
            let duration = Duration::from_micros(micros);
            assert_eq!(parse_duration(&duration_text(duration)), Ok(duration), "{}", duration_text(duration));
        }
        for bad in ["", "-1", "-2s", "s", "NaN", "inf", "1 parsec"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
