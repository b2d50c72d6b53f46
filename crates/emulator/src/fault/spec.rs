//! The JSON pieces that faults of calls and faults of downloads share.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::content::Content;
use super::{Cut, RawAnswer};
use crate::duration::DurationText;

/// How many times a fault strikes; `None`: without limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times(pub(crate) Option<u32>);

impl Default for Times {
    fn default() -> Self {
        Self(Some(1))
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a number from 1, or \"always\"")]
        enum Given {
            Count(std::num::NonZeroU32),
            Word(Word),
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Word {
            Always,
        }
        Ok(match Given::deserialize(deserializer)? {
            Given::Count(count) => Self(Some(count.get())),
            Given::Word(Word::Always) => Self(None),
        })
    }
}

/// Where and how to cut.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object such as {\"after\": 17, \"cut\": \"rst\"}")]
pub(crate) struct CutSpec {
    after: u64,
    cut: Cut,
}

impl CutSpec {
    pub(crate) fn parts(self) -> (u64, Cut) {
        (self.after, self.cut)
    }
}

/// Where and for how long to pause.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object such as {\"after\": 200, \"pause\": \"2s\"}")]
pub(crate) struct PauseSpec {
    after: u64,
    pause: DurationText,
}

impl PauseSpec {
    pub(crate) fn parts(self) -> (u64, Duration) {
        (self.after, self.pause.0)
    }
}

/// The raw bytes to send in place of a response.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object such as {\"response\": \"HTTP/1.1 200 OK\\r\\n\\r\\n\"}")]
pub(crate) struct RawSpec {
    response: Content,
    then_repeat: Option<Content>,
}

impl From<RawSpec> for RawAnswer {
    fn from(spec: RawSpec) -> Self {
        Self { bytes: spec.response.0, repeated: spec.then_repeat.map(|content| content.0) }
    }
}

/// A valid response status.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u16")]
pub(crate) struct Status(pub(crate) u16);

impl TryFrom<u16> for Status {
    type Error = String;

    fn try_from(status: u16) -> Result<Self, String> {
        let final_status = (200..=599).contains(&status);
        final_status.then_some(Self(status)).ok_or_else(|| format!("{status} answers nothing: use 200 to 599"))
    }
}
