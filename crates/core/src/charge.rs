//! Whether a call was charged, and what it cost.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::amount::Amount;

/// Whether money was spent, as far as this client can prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Charge {
    /// Provably nothing was charged: the server cannot have received a complete request, or it refused the request
    /// before any work.
    NotCharged,
    /// The client cannot know whether money was spent. The ids in the list of attempts can be looked up.
    Unknown,
    /// The call was charged, or the server said so.
    Charged,
}

impl Charge {
    /// All values, from best to worst.
    pub const ALL: &[Self] = &[Self::NotCharged, Self::Unknown, Self::Charged];

    /// Returns the stable name: `not_charged`, `unknown` or `charged`.
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

/// The vendor's credits per US dollar.
const CREDITS_PER_USD: u32 = 2_000_000;

/// The exact cost of a call, as the server states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Cost {
    /// The cost in US dollars.
    pub usd: Option<Amount>,
    /// The cost in the vendor's credits; 2,000,000 credits are 1 USD.
    pub credits: Option<Amount>,
}

/// Formats the cost as `0.041 USD (82000 credits)`, or the part of it that is known.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.usd, self.credits) {
            (Some(usd), Some(credits)) => write!(f, "{usd} USD ({credits} credits)"),
            (Some(usd), None) => write!(f, "{usd} USD"),
            (None, Some(credits)) => write!(f, "{credits} credits"),
            (None, None) => f.write_str("not stated"),
        }
    }
}

impl Cost {
    /// Returns whether the server stated a price above zero.
    pub(crate) fn is_positive(&self) -> bool {
        [self.usd, self.credits].iter().flatten().any(|amount| !amount.is_zero())
    }

    /// Returns the larger of the stated costs in dollars and in credits, in dollars.
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
