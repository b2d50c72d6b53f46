//! Members of the response's JSON other than images and price.

use serde_json::Value;

/// Returns when the image was made, in seconds since 1970. A value in milliseconds is recognised and converted.
pub(crate) fn created(answer: &Value) -> Option<i64> {
    /// Values from here on are milliseconds: seconds reach this in the year 5138, milliseconds passed it in 1973.
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    let created = answer.get("created")?.as_i64()?;
    Some(if created.abs() >= MILLISECONDS_FROM { created / 1000 } else { created })
}

/// Returns the token counts.
pub(crate) fn usage(answer: &Value) -> Option<&Value> {
    answer.get("usage").filter(|usage| !usage.is_null())
}
