//! Exact amounts of money and credits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Maximum number of digits after the point of an [`Amount`].
const SCALE: u32 = 20;
/// The number of smallest parts in one unit.
const UNIT: u128 = 10_u128.pow(SCALE);

/// An exact, non-negative decimal number, for money and credits. It is parsed from decimal text, never through a binary
/// fraction.
///
/// ```
/// use gptimage_model::Amount;
/// let price: Amount = "0.095225".parse()?;
/// assert_eq!(price.to_string(), "0.095225");
/// assert_eq!("9.5225e-2".parse::<Amount>()?, price);
/// # Ok::<(), gptimage_model::ParseAmountError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount {
    whole: u64,
    /// The part after the point, in units of 10^-20; less than one unit.
    part: u128,
}

/// Error of parsing an [`Amount`]: the text is not a number, is negative, or has more than 20 digits after the point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no amount: a decimal number, not negative, with at most 20 digits behind the point")]
pub struct ParseAmountError(String);

impl Amount {
    /// Zero.
    pub const ZERO: Self = Self { whole: 0, part: 0 };

    const LARGEST: Self = Self { whole: u64::MAX, part: UNIT - 1 };

    /// Creates an amount from a whole number.
    pub fn whole(number: u64) -> Self {
        Self { whole: number, part: 0 }
    }

    /// Creates an amount from a number of hundredths.
    pub fn cents(number: u64) -> Self {
        Self { whole: number / 100, part: u128::from(number % 100) * (UNIT / 100) }
    }

    /// Creates an amount from a number of smallest parts, if the digits before the point fit into 64 bits.
    fn from_parts(parts: u128) -> Option<Self> {
        Some(Self { whole: u64::try_from(parts / UNIT).ok()?, part: parts % UNIT })
    }

    /// Returns whether the amount is zero.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// Returns the sum, or the largest amount on overflow.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        let part = self.part + other.part;
        let whole = self.whole.checked_add(other.whole).and_then(|whole| whole.checked_add(u64::from(part >= UNIT)));
        whole.map_or(Self::LARGEST, |whole| Self { whole, part: part % UNIT })
    }

    /// Returns the difference, or zero if `other` is larger.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        if self <= other {
            return Self::ZERO;
        }
        let borrowed = self.part < other.part;
        let part = if borrowed { self.part + UNIT - other.part } else { self.part - other.part };
        Self { whole: self.whole - other.whole - u64::from(borrowed), part }
    }

    /// Returns the quotient, rounded up.
    pub fn divided_up(self, divisor: u32) -> Self {
        let divisor = divisor.max(1);
        let (whole, rest) = (self.whole / u64::from(divisor), self.whole % u64::from(divisor));
        let part = (u128::from(rest) * UNIT + self.part).div_ceil(u128::from(divisor));
        Self { whole, part: 0 }.saturating_add(Self { whole: u64::from(part >= UNIT), part: part % UNIT })
    }
}

impl FromStr for Amount {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).and_then(Self::from_parts).ok_or_else(|| ParseAmountError(crate::text::shorten(text, 40)))
    }
}

/// Parses `digits[.digits][e[+-]digits]` as a multiple of 10^-SCALE. `None` if that would not be exact.
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
        // Only zeros may be cut off at the end.
        let cut = usize::try_from(shift.unsigned_abs()).ok()?;
        let kept = significant.len().checked_sub(cut)?;
        let (kept, lost) = significant.split_at_checked(kept)?;
        return if lost.bytes().all(|byte| byte == b'0') { kept.parse().ok() } else { None };
    }
    significant.parse::<u128>().ok()?.checked_mul(10_u128.checked_pow(shift.unsigned_abs())?)
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:020}", self.part);
        let fraction = fraction.trim_end_matches('0');
        let text = if fraction.is_empty() { self.whole.to_string() } else { format!("{}.{fraction}", self.whole) };
        f.pad(&text)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({self})")
    }
}

/// Serialises as decimal text, so that no reader loses digits.
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
    fn whole_numbers_and_cents_are_exact() {
        for number in [0, 1, 3_402_823_669_209_384_634, 3_402_823_669_209_384_635, u64::MAX] {
            assert_eq!(Amount::whole(number).to_string(), number.to_string());
        }
        assert_eq!(Amount::cents(150).to_string(), "1.5");
        assert_eq!(Amount::cents(u64::MAX).to_string(), "184467440737095516.15");
        assert!(Amount::whole(3_402_823_669_209_384_635) > Amount::whole(3_402_823_669_209_384_634));
    }

    #[test]
    fn sums_end_at_the_largest_differences_at_nothing_and_quotients_are_rounded_up() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let (one, largest) = (amount("1e-20"), Amount::LARGEST);
        assert_eq!(largest.saturating_add(one), largest);
        assert_eq!(largest.saturating_add(Amount::whole(1)), largest);
        assert_eq!(Amount::whole(u64::MAX).saturating_add(largest), largest);
        assert_eq!(amount("0.6").saturating_add(amount("0.7")), amount("1.3"));
        assert_eq!(one.saturating_sub(largest), Amount::ZERO);
        assert_eq!(amount("1.3").saturating_sub(amount("0.7")), amount("0.6"));
        assert_eq!(amount("1.3").saturating_sub(amount("1.3")), Amount::ZERO);
        assert_eq!(largest.saturating_sub(largest.saturating_sub(one)), one);
        for (dividend, divisor, quotient) in
            [("4e-20", 2, "2e-20"), ("5e-20", 2, "3e-20"), ("1e-20", 0, "1e-20"), ("1", 3, "0.33333333333333333334")]
        {
            assert_eq!(amount(dividend).divided_up(divisor), amount(quotient));
        }
        assert_eq!(Amount::whole(7).divided_up(2), amount("3.5"));
        assert_eq!(amount("1.99999999999999999999").divided_up(2), Amount::whole(1));
    }
}
