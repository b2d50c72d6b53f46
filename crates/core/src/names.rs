//! Values that are written and read by their stable names.

use serde::{Deserialize, Deserializer, de};

/// Reads the one of `all` that has this name.
pub(crate) fn by_name<'de, D: Deserializer<'de>, T: Copy>(
    deserializer: D,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, D::Error> {
    let given = String::deserialize(deserializer)?;
    let known = all.iter().copied().find(|value| name(*value) == given);
    known.ok_or_else(|| de::Error::custom(format!("{:?} is no name that is known", crate::text::shorten(&given, 40))))
}
