//! How long a paid call takes.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::duration::{duration_text, parse_duration};

/// A range of durations, from which each call gets one; the same call gets the same one in every run.
///
/// ```
/// use std::time::Duration;
/// use gptimage_emulator::Latency;
///
/// let samples: Latency = "45s..80s".parse()?;
/// assert_eq!(samples, Latency::from(Duration::from_secs(45)..=Duration::from_secs(80)));
/// assert_eq!(samples.to_string(), "45s..80s");
/// assert_eq!("2s".parse::<Latency>()?.to_string(), "2s");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    min: Duration,
    max: Duration,
}

impl Latency {
    /// The latency of the paid call with this sequence number.
    pub(crate) fn of_call(self, seq: u64) -> Duration {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(fastrand::Rng::with_seed(seq).u64(nanos(self.min)..=nanos(self.max)))
    }
}

impl From<RangeInclusive<Duration>> for Latency {
    /// An empty range is its first duration.
    fn from(range: RangeInclusive<Duration>) -> Self {
        let (min, max) = range.into_inner();
        Self { min, max: max.max(min) }
    }
}

impl FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let (min, max) = (parse_duration(min)?, parse_duration(max.trim_start_matches('='))?);
        if min > max {
            return Err(format!("{text:?} is empty: write the shorter duration first, like 45s..80s"));
        }
        Ok(Self { min, max })
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&duration_text(self.min))?;
        if self.min == self.max { Ok(()) } else { write!(f, "..{}", duration_text(self.max)) }
    }
}

impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a duration or a range of them, like \"2s\" or \"45s..80s\"")]
        enum Given {
            Seconds(f64),
            Text(String),
        }
        let text = match Given::deserialize(deserializer)? {
            Given::Seconds(seconds) => seconds.to_string(),
            Given::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_one_latency_within_the_range() {
        let latency: Latency = "45s..80s".parse().unwrap();
        let of_calls: Vec<_> = (1..50).map(|seq| latency.of_call(seq)).collect();
        assert!(of_calls.iter().all(|given| (45..=80).contains(&given.as_secs())));
        assert!(of_calls.windows(2).any(|pair| pair[0] != pair[1]));
        assert_eq!(latency.of_call(7), latency.of_call(7));
        assert_eq!("3s".parse::<Latency>().unwrap().of_call(1), Duration::from_secs(3));
        assert!("80s..45s".parse::<Latency>().unwrap_err().contains("45s..80s"));
        assert!("45s..".parse::<Latency>().is_err());
    }
}
