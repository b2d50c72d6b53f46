//! Who pays when something goes wrong: the two billing models.

use std::str::FromStr;

use crate::ParseError;

/// Which calls the emulator charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Billing {
    /// Charges successes only, as the vendor documents it.
    #[default]
    Documented,
    /// Charges every request that arrived whole, including those answered with 5xx, cut or left in silence: the worst
    /// case. Only a 4xx other than 408 and 499 is free, because it refuses the request before any work.
    Pessimistic,
}

impl FromStr for Billing {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "documented" => Ok(Self::Documented),
            "pessimistic" => Ok(Self::Pessimistic),
            other => Err(ParseError::new("billing", format!("{other:?} is neither documented nor pessimistic"))),
        }
    }
}

impl Billing {
    /// Whether a request that arrived whole and was answered with `status` is worked on and charged.
    pub(crate) fn charges_answer(self, status: u16) -> bool {
        match (self, status) {
            (_, 200..=299) => true,
            (Self::Documented, _) => false,
            (Self::Pessimistic, 408 | 499) => true,
            (Self::Pessimistic, 400..=499) => false,
            (Self::Pessimistic, _) => true,
        }
    }

    /// Whether a request that arrived whole and was cut before any answer is worked on and charged.
    pub(crate) fn charges_unanswered(self) -> bool {
        self == Self::Pessimistic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_free_only_when_documented() {
        for (status, documented, pessimistic) in [
            (200, true, true),
            (302, false, true),
            (400, false, false),
            (408, false, true),
            (429, false, false),
            (499, false, true),
            (500, false, true),
            (520, false, true),
        ] {
            assert_eq!(Billing::Documented.charges_answer(status), documented, "{status}");
            assert_eq!(Billing::Pessimistic.charges_answer(status), pessimistic, "{status}");
        }
    }
}
