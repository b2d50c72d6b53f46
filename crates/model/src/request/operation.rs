use std::fmt;
use std::str::FromStr;

/// The two operations of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Makes pictures from a prompt.
    Generate,
    /// Makes pictures from a prompt and pictures.
    Edit,
}

impl Operation {
    /// Every operation.
    pub const ALL: &[Self] = &[Self::Generate, Self::Edit];

    /// The name: `generate` or `edit`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Edit => "edit",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that names no operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an operation; write generate or edit")]
pub struct ParseOperationError(String);

impl FromStr for Operation {
    type Err = ParseOperationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.iter().copied().find(|operation| operation.as_str() == text);
        named.ok_or_else(|| ParseOperationError(crate::text::shorten(text, 40)))
    }
}
