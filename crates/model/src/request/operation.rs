use std::fmt;
use std::str::FromStr;

/// An operation of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Makes images from a prompt.
    Generate,
    /// Makes images from a prompt and input images.
    Edit,
}

impl Operation {
    /// All operations.
    pub const ALL: &[Self] = &[Self::Generate, Self::Edit];

    /// Returns the name: `generate` or `edit`.
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

/// Error of parsing an [`Operation`]: the text is neither `generate` nor `edit`.
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
