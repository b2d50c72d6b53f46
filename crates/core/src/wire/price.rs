//! The price of a call as the server states it. It is read exactly or not at all.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::header;
use super::members::members;
use crate::amount::Amount;
use crate::charge::Cost;
use crate::secret::ApiKey;
use crate::warning::Warning;

/// A stated price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Price {
    /// The amounts that could be read.
    pub(crate) cost: Cost,
    /// Whether an amount is stated that is not an exact number. Then a zero next to it proves nothing.
    pub(crate) unreadable: bool,
}

/// Whether a price was stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stated {
    /// No price, or a price of zero.
    Nothing,
    /// A price above zero.
    Positive,
    /// An unreadable value, which may be a price.
    Unreadable,
}

impl Price {
    pub(crate) fn stated(&self) -> Stated {
        if self.cost.is_positive() {
            Stated::Positive
        } else if self.unreadable {
            Stated::Unreadable
        } else {
            Stated::Nothing
        }
    }

    /// Returns the amounts that are certain. A zero next to an unreadable amount is not certain.
    pub(crate) fn known(&self) -> Cost {
        let known = |amount: Option<Amount>| amount.filter(|amount| !self.unreadable || !amount.is_zero());
        Cost { usd: known(self.cost.usd), credits: known(self.cost.credits) }
    }

    /// Returns the larger price, separately for each unit. Adds a warning if they differ.
    pub(crate) fn larger(self, other: Self, warnings: &mut Vec<Warning>) -> Self {
        let mut larger = |one: Option<Amount>, other: Option<Amount>, unit: &str| {
            if let (Some(one), Some(other)) = (one, other)
                && one != other
            {
                warnings.push(Warning::price_disagrees(&format!("{one} {unit}"), &format!("{other} {unit}")));
            }
            one.max(other)
        };
        let cost = Cost {
            usd: larger(self.cost.usd, other.cost.usd, "USD"),
            credits: larger(self.cost.credits, other.cost.credits, "credits"),
        };
        Self { cost, unreadable: self.unreadable || other.unreadable }
    }

    /// Reads the price from a response's headers. `values` returns the values of a header, with `None` for one that is
    /// not text.
    pub(crate) fn from_headers<'a, I: Iterator<Item = Option<&'a str>>>(
        values: impl Fn(&'static str) -> I,
        key: &ApiKey,
        warnings: &mut Vec<Warning>,
    ) -> Self {
        let mut price = Self::default();
        let mut amount = |name| {
            let mut largest = None;
            for value in values(name) {
                let read = value.and_then(|text| text.trim().parse::<Amount>().ok());
                if read.is_none() {
                    price.unreadable = true;
                    warnings.push(Warning::price_unreadable(&key.redact(value.unwrap_or("(no text)").trim())));
                }
                largest = largest.max(read);
            }
            largest
        };
        let cost = Cost { usd: amount(header::USD_SPENT), credits: amount(header::CREDITS_USED) };
        Self { cost, ..price }
    }

    /// Reads the price from `meta.usage` in a response's JSON: the largest, if there are several documents.
    pub(crate) fn from_body(text: &[u8], key: &ApiKey, warnings: &mut Vec<Warning>) -> Self {
        let documents = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
        documents.map_while(Result::ok).filter_map(|document| members(document.get())).fold(
            Self::default(),
            |price, answer| {
                let Some(meta) = answer.get("meta").and_then(|meta| members(meta.get())) else { return price };
                let stated = Self::from_member(meta.get("usage").copied(), "usd_spent", "credits_used", key, warnings);
                price.larger(stated, warnings)
            },
        )
    }

    /// Reads the price from an object with these member names.
    pub(crate) fn from_member(
        object: Option<&RawValue>,
        usd: &str,
        credits: &str,
        key: &ApiKey,
        warnings: &mut Vec<Warning>,
    ) -> Self {
        let Some(object) = object.filter(|object| object.get() != "null") else { return Self::default() };
        let mut price = Self::default();
        let mut unreadable = |text: &str| {
            price.unreadable = true;
            warnings.push(Warning::price_unreadable(&key.redact(text)));
        };
        let Some(members) = members(object.get()) else {
            unreadable(object.get());
            return price;
        };
        let mut amount = |name: &str, members: &HashMap<String, &RawValue>| {
            let text = members.get(name)?.get();
            if text == "null" {
                return None;
            }
            // The amount may be written as a string.
            let inner = serde_json::from_str::<String>(text);
            let amount = inner.as_deref().map_or(text, str::trim).parse().ok();
            if amount.is_none() {
                unreadable(inner.as_deref().unwrap_or(text));
            }
            amount
        };
        let cost = Cost { usd: amount(usd, &members), credits: amount(credits, &members) };
        Self { cost, ..price }
    }
}

#[cfg(test)]
mod tests {
    use super::{Price, Stated};
    use crate::secret::ApiKey;

    fn key() -> ApiKey {
        ApiKey::new("sk-never-in-an-answer", "a test").unwrap()
    }

    fn of_headers(usd: &[Option<&str>], credits: &[Option<&str>]) -> Price {
        let values =
            |name| if name == super::header::USD_SPENT { usd.iter().copied() } else { credits.iter().copied() };
        Price::from_headers(values, &key(), &mut Vec::new())
    }

    #[test]
    fn a_header_that_is_there_and_cannot_be_read_is_unreadable() {
        for unreadable in ["$0.05", "0.0500000000000000000001", "", "-1", "NaN", "0,05", "0.05 USD", "1e999", "null"] {
            let price = of_headers(&[Some(unreadable)], &[]);
            assert_eq!(price.stated(), Stated::Unreadable, "{unreadable}");
            assert_eq!(of_headers(&[Some(unreadable)], &[Some("0")]).stated(), Stated::Unreadable, "{unreadable}");
            assert_eq!(of_headers(&[Some(unreadable)], &[Some("0")]).known().or_none(), None, "{unreadable}");
            assert_eq!(of_headers(&[Some(unreadable)], &[Some("7")]).stated(), Stated::Positive, "{unreadable}");
        }
        assert_eq!(of_headers(&[None], &[]).stated(), Stated::Unreadable, "no text");
        assert_eq!(of_headers(&[Some("0"), Some("0.05")], &[]).stated(), Stated::Positive, "the larger of two");
        assert_eq!(of_headers(&[Some("0"), Some("x")], &[]).stated(), Stated::Unreadable);
        assert_eq!(of_headers(&[Some(" 0.00 ")], &[Some("0")]).stated(), Stated::Nothing);
        assert_eq!(of_headers(&[], &[]).stated(), Stated::Nothing);
    }

    #[test]
    fn so_is_a_member_of_the_body() {
        for (usage, stated) in [
            (r#"{"usd_spent":"$0.05"}"#, Stated::Unreadable),
            (r#"{"usd_spent":0.0500000000000000000001}"#, Stated::Unreadable),
            (r#"{"usd_spent":{"amount":0.05}}"#, Stated::Unreadable),
            (r#"{"usd_spent":true,"credits_used":0}"#, Stated::Unreadable),
            (r#""0.05""#, Stated::Unreadable),
            (r#"{"usd_spent":""}"#, Stated::Unreadable),
            (r#"{"usd_spent":"0.05"}"#, Stated::Positive),
            (r#"{"usd_spent":"0.05","credits_used":"many"}"#, Stated::Positive),
            (r#"{"usd_spent":" 0.0 ","credits_used":null}"#, Stated::Nothing),
            (r#"{"other":"$0.05"}"#, Stated::Nothing),
            ("null", Stated::Nothing),
        ] {
            let body = format!(r#"{{"meta":{{"usage":{usage}}}}}"#);
            assert_eq!(Price::from_body(body.as_bytes(), &key(), &mut Vec::new()).stated(), stated, "{usage}");
        }
        assert_eq!(Price::from_body(b"<html>", &key(), &mut Vec::new()), Price::default());
    }
}
