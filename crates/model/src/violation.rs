//! Violations of rules, as data.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! rules {
    ($( $(#[$doc:meta])* $rule:ident = $slug:literal, )+) => {
        /// The kind of rule that was violated.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Rule { $( $(#[$doc])* $rule, )+ }

        impl Rule {
            /// All kinds.
            pub const ALL: &[Self] = &[$( Self::$rule, )+];

            /// Returns the stable name, which is the same in every language.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$rule => $slug, )+ }
            }
        }
    };
}

rules! {
    /// A required value is missing or empty.
    Required = "required",
    /// A value is not of the type that the API takes.
    Type = "type",
    /// A value is not one that the model accepts.
    OneOf = "one_of",
    /// A number is outside its range.
    Range = "range",
    /// A text is longer than allowed.
    MaxLength = "max_length",
    /// There are more items than allowed.
    MaxItems = "max_items",
    /// A file has more bytes than allowed.
    MaxBytes = "max_bytes",
    /// Two values contradict each other.
    Conflict = "conflict",
    /// The operation does not have this parameter.
    UnknownParameter = "unknown_parameter",
    /// A file cannot be opened or read.
    Readable = "readable",
    /// A path leads to a directory, FIFO, socket or device instead of a file.
    RegularFile = "regular_file",
    /// A file is empty.
    NotEmpty = "not_empty",
    /// The content is not of an accepted format, or is incomplete.
    Format = "format",
    /// A mask has no alpha channel.
    MaskAlpha = "mask_alpha",
    /// A mask has no fully transparent pixel.
    MaskTransparency = "mask_transparency",
    /// The dimensions of a mask differ from those of the first image.
    MaskDimensions = "mask_dimensions",
}

/// One violation of a rule: the parameter, the rule, the given value, and a message that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    param: String,
    rule: Rule,
    given: String,
    message: String,
}

/// Maximum length of `given` in characters, so that a prompt does not flood a log.
const GIVEN_MAX_CHARS: usize = 120;

impl Violation {
    /// Creates a violation. A long `given` is shortened.
    #[doc(hidden)]
    pub fn new(param: impl Into<String>, rule: Rule, given: impl fmt::Display, message: impl Into<String>) -> Self {
        Self {
            param: param.into(),
            rule,
            given: crate::text::shorten(&given.to_string(), GIVEN_MAX_CHARS),
            message: message.into(),
        }
    }

    /// Returns the API's name of the parameter, such as `size` or `image[2]`.
    pub fn param(&self) -> &str {
        &self.param
    }

    /// Returns the kind of rule that was violated.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Returns the given value, shortened to 120 characters.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// Returns a sentence, without the parameter's name, that says what is wrong and what to do.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// Error of building a request: it violates one or more rules. Nothing was sent and nothing was charged.
///
/// Its text is one line that lists all violations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRequest {
    violations: Vec<Violation>,
}

impl InvalidRequest {
    /// Returns `Err` if there are violations.
    pub(crate) fn unless_none(violations: Vec<Violation>) -> Result<(), Self> {
        if violations.is_empty() { Ok(()) } else { Err(Self { violations }) }
    }

    /// Returns all violations, in wire order of their parameters.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Consumes the error and returns the violations.
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
