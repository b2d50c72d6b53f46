//! A broken rule, as data.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! rules {
    ($( $(#[$doc:meta])* $rule:ident = $slug:literal, )+) => {
        /// Which kind of rule was broken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule { $( $(#[$doc])* $rule, )+ }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$( Self::$rule, )+];

            /// The stable name, the same in every language.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$rule => $slug, )+ }
            }
        }
    };
}

rules! {
    /// A required value is missing or empty.
    Required = "required",
    /// Not of the type that the API takes.
    Type = "type",
    /// Not among the values that the model knows.
    OneOf = "one_of",
    /// A number outside its range.
    Range = "range",
    /// Text longer than allowed.
    MaxLength = "max_length",
    /// More items than allowed.
    MaxItems = "max_items",
    /// More bytes than allowed.
    MaxBytes = "max_bytes",
    /// Two values that do not go together.
    Conflict = "conflict",
    /// A parameter that the operation does not have.
    UnknownParameter = "unknown_parameter",
    /// A file that cannot be opened or read.
    Readable = "readable",
    /// A directory, FIFO, socket or device instead of a file.
    RegularFile = "regular_file",
    /// Zero bytes.
    NotEmpty = "not_empty",
    /// Bytes that are not of an accepted format, or not whole.
    Format = "format",
    /// A mask without an alpha channel.
    MaskAlpha = "mask_alpha",
    /// A mask without one fully transparent pixel.
    MaskTransparency = "mask_transparency",
    /// A mask of other dimensions than the first image.
    MaskDimensions = "mask_dimensions",
}

/// One broken rule of a request: which parameter, which rule, what was given, and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    param: String,
    rule: Rule,
    given: String,
    message: String,
}

/// Longest `given` that is repeated, in characters: a prompt must not flood a log.
const GIVEN_MAX_CHARS: usize = 120;

impl Violation {
    /// A broken rule. `given` is shortened where it is long.
    pub fn new(param: impl Into<String>, rule: Rule, given: impl fmt::Display, message: impl Into<String>) -> Self {
        Self {
            param: param.into(),
            rule,
            given: crate::text::shorten(&given.to_string(), GIVEN_MAX_CHARS),
            message: message.into(),
        }
    }

    /// The API's name of the parameter, such as `size` or `image[2]`.
    pub fn param(&self) -> &str {
        &self.param
    }

    /// The rule that was broken.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// What was given, shortened where it is long.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// A sentence without the parameter's name: what is wrong and what to do.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// A request that the rules refused, with every violation. Nothing was sent and nothing was charged.
///
/// Its text is one line that lists them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRequest {
    violations: Vec<Violation>,
}

impl InvalidRequest {
    /// `Err` if there is a violation.
    pub(crate) fn unless_none(violations: Vec<Violation>) -> Result<(), Self> {
        if violations.is_empty() { Ok(()) } else { Err(Self { violations }) }
    }

    /// Every broken rule, in the order of the wire.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Takes the violations.
    pub fn into_violations(self) -> Vec<Violation> {
        self.violations
    }
}

impl From<Violation> for InvalidRequest {
    fn from(violation: Violation) -> Self {
        Self { violations: vec![violation] }
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid request: ")?;
        for (index, violation) in self.violations.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidRequest {}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.param, self.message)
    }
}

impl Serialize for Violation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            param: &'a str,
            rule: &'static str,
            given: &'a str,
            message: &'a str,
        }
        Shown { param: &self.param, rule: self.rule.as_str(), given: &self.given, message: &self.message }
            .serialize(serializer)
    }
}
