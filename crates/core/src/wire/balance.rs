//! The balance of an account, as returned by the server.

use serde::Serialize;

use super::members::members;
use crate::amount::Amount;
use crate::secret::ApiKey;
use crate::text;

/// The balance of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Balance {
    /// The amount as the server wrote it. It may be negative.
    pub current_balance: String,
    /// The currency, if the server states it.
    pub currency: Option<String>,
}

/// Parses the response. `None` if it is not a balance.
pub(crate) fn parse_balance(body: &[u8], key: &ApiKey) -> Option<Balance> {
    let answer = members(std::str::from_utf8(body).ok()?)?;
    let text = |name: &str| {
        let text = answer.get(name)?.get();
        let text = serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned());
        (text != "null").then(|| text::shorten(&key.redact(&text), 40))
    };
    let current_balance = text("current_balance")?;
    // A debt is negative. Apart from the sign, the text must be a valid amount.
    current_balance.strip_prefix('-').unwrap_or(&current_balance).parse::<Amount>().ok()?;
    Some(Balance { current_balance, currency: text("currency") })
}
