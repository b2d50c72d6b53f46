//! The stored forms of public types. They are separate from the types' own JSON, so that either can change without the
//! other.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::amount::Amount;
use crate::attempt::{Attempt, Phase};
use crate::charge::{Charge, Cost};
use crate::error::ErrorKind;
use crate::text;
use crate::warning::Warning;

/// A value that is stored by its stable name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<T>(pub(super) T);

pub(super) trait Name: Copy + 'static {
    const VALUES: &'static [Self];
    fn name(self) -> &'static str;
}

macro_rules! named {
    ($($type:ident),+) => { $(
        impl Name for $type {
            const VALUES: &'static [Self] = Self::ALL;
            fn name(self) -> &'static str {
                self.as_str()
            }
        }
    )+ };
}
named!(Charge, ErrorKind, Phase);

impl<T: Name> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de, T: Name> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = String::deserialize(deserializer)?;
        let known = T::VALUES.iter().copied().find(|value| value.name() == given);
        let unknown = || de::Error::custom(format!("{:?} is not a known name", text::shorten(&given, 40)));
        known.map(Self).ok_or_else(unknown)
    }
}

mod seconds {
    use super::*;

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredAttempt {
    number: u32,
    client_request_id: String,
    inference_id: Option<String>,
    request_id: Option<String>,
    phase: Named<Phase>,
    bytes_sent: u64,
    bytes_total: u64,
    http_status: Option<u16>,
    charge: Named<Charge>,
    cost: Option<StoredCost>,
    #[serde(rename = "waited_seconds", with = "seconds")]
    waited: Duration,
    #[serde(rename = "elapsed_seconds", with = "seconds")]
    elapsed: Duration,
    error: Option<String>,
}

impl StoredAttempt {
    pub(super) fn id_and_phase(&self) -> (&str, Phase) {
        (&self.client_request_id, self.phase.0)
    }
}

impl From<&Attempt> for StoredAttempt {
    fn from(attempt: &Attempt) -> Self {
        Self {
            number: attempt.number,
            client_request_id: attempt.client_request_id.clone(),
            inference_id: attempt.inference_id.clone(),
            request_id: attempt.request_id.clone(),
            phase: Named(attempt.phase),
            bytes_sent: attempt.bytes_sent,
            bytes_total: attempt.bytes_total,
            http_status: attempt.http_status,
            charge: Named(attempt.charge),
            cost: attempt.cost.map(StoredCost::from),
            waited: attempt.waited,
            elapsed: attempt.elapsed,
            error: attempt.error.clone(),
        }
    }
}

impl From<StoredAttempt> for Attempt {
    fn from(stored: StoredAttempt) -> Self {
        Self {
            number: stored.number,
            client_request_id: stored.client_request_id,
            inference_id: stored.inference_id,
            request_id: stored.request_id,
            phase: stored.phase.0,
            bytes_sent: stored.bytes_sent,
            bytes_total: stored.bytes_total,
            http_status: stored.http_status,
            charge: stored.charge.0,
            cost: stored.cost.map(Cost::from),
            waited: stored.waited,
            elapsed: stored.elapsed,
            error: stored.error,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct StoredCost {
    usd: Option<Amount>,
    credits: Option<Amount>,
}

impl From<Cost> for StoredCost {
    fn from(cost: Cost) -> Self {
        Self { usd: cost.usd, credits: cost.credits }
    }
}

impl From<StoredCost> for Cost {
    fn from(stored: StoredCost) -> Self {
        Self { usd: stored.usd, credits: stored.credits }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredWarning {
    kind: String,
    message: String,
}

impl From<&Warning> for StoredWarning {
    fn from(warning: &Warning) -> Self {
        Self { kind: warning.kind().to_owned(), message: warning.message().to_owned() }
    }
}

impl From<StoredWarning> for Warning {
    fn from(stored: StoredWarning) -> Self {
        Self::restored(stored.kind, stored.message)
    }
}
