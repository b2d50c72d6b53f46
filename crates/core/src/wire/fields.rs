//! Members of an answer's JSON beside its pictures and its price.

use serde_json::Value;

/// When the picture was made, in seconds since 1970. Milliseconds are recognised.
pub(crate) fn created(answer: &Value) -> Option<i64> {
    /// Seconds reach this in the year 5138; milliseconds passed it in 1973.
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    let created = answer.get("created")?.as_i64()?;
    Some(if created.abs() >= MILLISECONDS_FROM { created / 1000 } else { created })
}

/// Token counts.
pub(crate) fn usage(answer: &Value) -> Option<&Value> {
    answer.get("usage").filter(|usage| !usage.is_null())
}
