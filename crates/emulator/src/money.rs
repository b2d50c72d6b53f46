//! Money as the gateway counts it: whole credits, 2,000,000 to the US dollar, never a float.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::Operation;

const CREDITS_PER_USD: i128 = 2_000_000;
/// One credit is half a millionth of a dollar: 5 units of the seventh decimal place.
const UNITS_PER_CREDIT: u128 = 5;
const DECIMAL_PLACES: usize = 7;

/// Credits for one picture at low, medium and high; the middle ones are the vendor's samples.
const GENERATE: [u64; 3] = [24_117, 107_341, 421_533];
const EDIT: [u64; 3] = [57_226, 190_450, 586_842];

/// The price of a call.
///
/// ```
/// let price = gptimage_emulator::Price { credits: 107_341 };
/// assert_eq!(price.usd(), "0.0536705");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price {
    /// Whole credits; 2,000,000 of them are one US dollar.
    pub credits: u64,
}

impl Price {
    /// Returns the price in US dollars, as exact decimal text without trailing zeros.
    pub fn usd(self) -> String {
        usd_text(i128::from(self.credits))
    }

    /// The price list: the vendor's samples at medium, cheaper at low, dearer at high, times the images asked for.
    pub(crate) fn of(operation: Operation, quality: &str, images: u64) -> Self {
        let [low, medium, high] = if operation == Operation::Edit { EDIT } else { GENERATE };
        let one: u64 = match quality {
            "low" => low,
            "high" => high,
            _ => medium,
        };
        Self { credits: one.saturating_mul(images) }
    }
}

impl Serialize for Price {
    /// `{"credits": 107341, "usd": "0.0536705"}`: the dollars as text, for a float would round them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Price", 2)?;
        fields.serialize_field("credits", &self.credits)?;
        fields.serialize_field("usd", &self.usd())?;
        fields.end()
    }
}

/// Credits as US dollars: exact, without trailing zeros, negative for a debt.
pub(crate) fn usd_text(credits: i128) -> String {
    let units = credits.unsigned_abs() * UNITS_PER_CREDIT;
    let scale = 10_u128.pow(DECIMAL_PLACES as u32);
    let fraction = format!("{:0width$}", units % scale, width = DECIMAL_PLACES);
    let fraction = fraction.trim_end_matches('0');
    let sign = if credits < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", units / scale)
}

/// Decimal US dollars as credits; `None` if it is not a plain amount or not a whole number of credits.
pub(crate) fn credits_from_usd(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    // 18 digits of dollars cannot overflow the multiplication below.
    if whole.is_empty() || whole.len() > 18 || fraction.len() > DECIMAL_PLACES || !digits(whole) || !digits(fraction) {
        return None;
    }
    let units: u128 = format!("{fraction:0<width$}", width = DECIMAL_PLACES).parse().ok()?;
    if !units.is_multiple_of(UNITS_PER_CREDIT) {
        return None;
    }
    let part = i128::try_from(units / UNITS_PER_CREDIT).ok()?;
    Some(whole.parse::<i128>().ok()? * CREDITS_PER_USD + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_exact_both_ways() {
        for (usd, credits) in [("10", 20_000_000), ("0.0536705", 107_341), ("0.095225", 190_450), ("0", 0)] {
            assert_eq!(credits_from_usd(usd), Some(credits), "{usd}");
            assert_eq!(usd_text(credits), usd);
        }
        assert_eq!(usd_text(-190_450), "-0.095225");
        for bad in ["", "-1", "1e3", "0.00000001", "0.0000001", "1,5", " 1"] {
            assert_eq!(credits_from_usd(bad), None, "{bad}");
        }
    }

    #[test]
    fn prices_follow_the_samples() {
        assert_eq!(Price::of(Operation::Generate, "medium", 1).usd(), "0.0536705");
        assert_eq!(Price::of(Operation::Edit, "medium", 2).credits, 380_900);
        assert!(Price::of(Operation::Edit, "low", 1) < Price::of(Operation::Edit, "high", 1));
    }
}
