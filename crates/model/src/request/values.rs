//! The values of the parameters, each with its wire string.
//!
//! Values that this crate does not know are representable (`Other`), because another model may accept them. The
//! [`rules`](crate::rules) decide whether the requested model does.

use std::fmt;

/// A parameter's value in its wire form: text or a number.
#[derive(Debug, Clone, PartialEq)]
pub enum WireValue<'a> {
    /// Text.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
}

impl fmt::Display for WireValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
        }
    }
}

/// A type of parameter values.
pub(crate) trait Parameter {
    /// Whether it is sent as a number where the wire has numbers.
    const INTEGER: bool = false;
    fn from_text(text: &str) -> Self;
    fn wire(&self) -> WireValue<'_>;
}

macro_rules! wire_values {
    ($(#[$doc:meta])* $type:ident { $( $(#[$value_doc:meta])* $value:ident = $wire:literal, )+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $( $(#[$value_doc])* #[doc = concat!("\n\nOn the wire: `", $wire, "`.")] $value, )+
            /// A value that this crate does not know. The rules of the known model reject it.
            Other(String),
        }

        impl $type {
            /// Returns the wire string.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$value => $wire, )+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                match text {
                    $( $wire => Self::$value, )+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Parameter for $type {
            fn from_text(text: &str) -> Self {
                Self::from(text)
            }
            fn wire(&self) -> WireValue<'_> {
                WireValue::Text(self.as_str())
            }
        }
    };
}

wire_values! {
    /// The model to call. Default: [`Model::GptImage2`].
    Model {
        /// The model whose rules this crate knows.
        GptImage2 = "openai/gpt-image-2",
    }
}

wire_values! {
    /// Width × height of the image in pixels. The server's default is [`Size::Square`].
    Size {
        /// 1024 × 1024 pixels.
        Square = "1024x1024",
        /// 1024 × 1536 pixels (width × height).
        Portrait = "1024x1536",
        /// 1536 × 1024 pixels (width × height).
        Landscape = "1536x1024",
    }
}

wire_values! {
    /// Rendering quality, which determines price and duration. The server's default is [`Quality::Medium`].
    Quality {
        /// Cheapest and fastest.
        Low = "low",
        /// The server's default.
        Medium = "medium",
        /// Most expensive; can take more than two minutes.
        High = "high",
    }
}

wire_values! {
    /// File format of the image. The server's default is [`OutputFormat::Png`].
    OutputFormat {
        /// Lossless, with transparency.
        Png = "png",
        /// Lossy, without transparency.
        Jpeg = "jpeg",
        /// Lossy or lossless, with transparency.
        Webp = "webp",
    }
}

wire_values! {
    /// Background of the image. The server's default is [`Background::Auto`].
    Background {
        /// The model decides.
        Auto = "auto",
        /// Transparent; needs [`OutputFormat::Png`] or [`OutputFormat::Webp`].
        Transparent = "transparent",
        /// Opaque.
        Opaque = "opaque",
    }
}

wire_values! {
    /// Strictness of moderation, for generate only. The server's default is [`Moderation::Auto`].
    Moderation {
        /// The standard filter.
        Auto = "auto",
        /// A less restrictive filter.
        Low = "low",
    }
}

wire_values! {
    /// How images are returned. The server's default is [`ResponseFormat::Url`].
    ResponseFormat {
        /// As a URL, which the client downloads at once by default.
        Url = "url",
        /// As base64 in the response.
        B64Json = "b64_json",
    }
}

/// A whole number, or text given in its place, which the rules reject together with all other violations.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Integer {
    /// A number.
    Value(i64),
    /// Text that is not a whole number.
    Text(String),
}

macro_rules! integer_from {
    ($($number:ty),+) => { $(
        impl From<$number> for Integer {
            fn from(number: $number) -> Self {
                Self::Value(number.into())
            }
        }
    )+ };
}
integer_from!(i64, i32, u32, u16, u8);

impl From<&str> for Integer {
    fn from(text: &str) -> Self {
        text.trim().parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Value)
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl Parameter for Integer {
    const INTEGER: bool = true;

    fn from_text(text: &str) -> Self {
        Self::from(text)
    }
    fn wire(&self) -> WireValue<'_> {
        match self {
            Self::Value(number) => WireValue::Integer(*number),
            Self::Text(text) => WireValue::Text(text),
        }
    }
}
