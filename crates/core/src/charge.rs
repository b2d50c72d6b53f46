//! What is known about money, and what a call cost.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::amount::Amount;
use crate::names::by_name;

/// What is known about money: from our own proof, never from someone's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Charge {
    /// Provably nothing was charged: the server cannot have had a whole request, or refused it before any work.
    NotCharged,
    /// Nobody on this side can know. The ids in the attempt list can be looked up.
    Unknown,
    /// It was charged, or the server said so.
    Charged,
}

impl Charge {
    /// Every value, from the best to the worst.
    pub const ALL: &[Self] = &[Self::NotCharged, Self::Unknown, Self::Charged];

    /// The stable name: `not_charged`, `unknown` or `charged`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotCharged => "not_charged",
            Self::Unknown => "unknown",
            Self::Charged => "charged",
        }
    }
}

impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotCharged => "not charged",
            Self::Unknown => "perhaps charged",
            Self::Charged => "charged",
        })
    }
}

impl Serialize for Charge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Charge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_name(deserializer, Self::ALL, Self::as_str)
    }
}

/// The vendor's credits that are one US dollar.
const CREDITS_PER_USD: u32 = 2_000_000;

/// What a call cost, exactly, as the server said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cost {
    /// US dollars.
    pub usd: Option<Amount>,
    /// The vendor's credits; 2,000,000 are one US dollar.
    pub credits: Option<Amount>,
}

impl Cost {
    /// Whether the server stated a price above nothing.
    pub(crate) fn is_positive(&self) -> bool {
        [self.usd, self.credits].iter().flatten().any(|amount| !amount.is_zero())
    }

    /// The larger of what the server stated in dollars and in credits, in dollars.
    pub(crate) fn in_usd(self) -> Option<Amount> {
        self.usd.max(self.credits.map(|credits| credits.divided_up(CREDITS_PER_USD)))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let sum = |one: Option<Amount>, other: Option<Amount>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        Self { usd: sum(self.usd, other.usd), credits: sum(self.credits, other.credits) }
    }

    pub(crate) fn or_none(self) -> Option<Self> {
        (self.usd.is_some() || self.credits.is_some()).then_some(self)
    }
}
