//! Exact amounts of money and credits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Digits behind the point that an [`Amount`] can hold.
const SCALE: u32 = 20;

/// An exact decimal number that is not negative, read from the number's own text: never through binary fractions.
///
/// ```
/// use gptimage_core::Amount;
/// let price: Amount = "0.095225".parse()?;
/// assert_eq!(price.to_string(), "0.095225");
/// assert_eq!("9.5225e-2".parse::<Amount>()?, price);
/// # Ok::<(), gptimage_core::ParseAmountError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(u128);

/// Text that is no amount: not a number, negative, or with more than 20 digits behind the point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no amount: a decimal number, not negative, with at most 20 digits behind the point")]
pub struct ParseAmountError(String);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A whole number.
    pub fn whole(number: u64) -> Self {
        Self(u128::from(number) * 10_u128.pow(SCALE))
    }

    /// So many hundredths.
    pub(crate) fn cents(number: u64) -> Self {
        Self(u128::from(number) * 10_u128.pow(SCALE - 2))
    }

    /// Whether this is nothing.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or the largest amount there is.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing where `other` is more.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The quotient, rounded up.
    pub(crate) fn divided_up(self, divisor: u32) -> Self {
        Self(self.0.div_ceil(u128::from(divisor.max(1))))
    }
}

impl FromStr for Amount {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map(Self).ok_or_else(|| ParseAmountError(crate::text::shorten(text, 40)))
    }
}

/// `digits[.digits][e[+-]digits]` as a multiple of 10^-SCALE; `None` where that is not exact.
fn parse(text: &str) -> Option<u128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.len() > 60 {
        return None;
    }
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let shift = i32::try_from(SCALE).ok()?.checked_add(exponent)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if shift < 0 {
        // Only zeros may fall off the end.
        let cut = usize::try_from(shift.unsigned_abs()).ok()?;
        let kept = significant.len().checked_sub(cut)?;
        let (kept, lost) = significant.split_at_checked(kept)?;
        return if lost.bytes().all(|byte| byte == b'0') { kept.parse().ok() } else { None };
    }
    significant.parse::<u128>().ok()?.checked_mul(10_u128.checked_pow(shift.unsigned_abs())?)
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u128.pow(SCALE);
        let fraction = format!("{:020}", self.0 % unit);
        let fraction = fraction.trim_end_matches('0');
        let text =
            if fraction.is_empty() { (self.0 / unit).to_string() } else { format!("{}.{fraction}", self.0 / unit) };
        f.pad(&text)
    }
}

/// As decimal text: no reader can lose a digit.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;

    #[test]
    fn text_in_is_text_out() {
        for (given, shown) in [
            ("0.0536705", "0.0536705"),
            ("107341", "107341"),
            ("0", "0"),
            ("0.000", "0"),
            ("1e2", "100"),
            ("5.36705E-2", "0.0536705"),
            ("1.50", "1.5"),
            ("0.010000499999999999", "0.010000499999999999"),
            ("0.1000000000000000", "0.1"),
            ("100e-22", "0.00000000000000000001"),
        ] {
            assert_eq!(given.parse::<Amount>().unwrap().to_string(), shown, "{given}");
        }
    }

    #[test]
    fn what_is_no_exact_amount_is_refused() {
        for given in
            ["", "-1", "+1", "abc", "1e-21", "NaN", ".5", "1e99", "1.2.3", "0.+5", "0x10", "1e", "1e999999999999", " 1"]
        {
            assert!(given.parse::<Amount>().is_err(), "{given}");
        }
    }

    #[test]
    fn text_is_read_up_to_60_characters() {
        let zeros = |len: usize| format!("0.{}", "0".repeat(len - 2)).parse::<Amount>();
        assert_eq!(zeros(60), Ok(Amount::ZERO));
        assert!(zeros(61).is_err());
    }

    #[test]
    fn json_holds_it_as_text() {
        let price = "0.0536705".parse::<Amount>().unwrap();
        let json = serde_json::to_string(&price).unwrap();
        assert_eq!(json, "\"0.0536705\"");
        assert_eq!(serde_json::from_str::<Amount>(&json).unwrap(), price);
    }

    #[test]
    fn sums_end_at_the_largest_differences_at_nothing_and_quotients_are_rounded_up() {
        let (one, largest) = (Amount(1), Amount(u128::MAX));
        assert_eq!(largest.saturating_add(one), largest);
        assert_eq!(one.saturating_sub(largest), Amount::ZERO);
        assert_eq!([Amount(4).divided_up(2), Amount(5).divided_up(2), one.divided_up(0)], [Amount(2), Amount(3), one]);
    }
}
