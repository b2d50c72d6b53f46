//! The image formats, recognised by their first bytes.

use std::ffi::OsStr;
use std::fmt;

/// The file format of an image, recognised by its magic number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageFormat {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
}

impl ImageFormat {
    /// The number of bytes that [`ImageFormat::sniff`] needs to recognise every format.
    pub const SNIFF_LEN: usize = 12;

    /// Returns the format that the first bytes indicate. The rest of the file is not checked.
    ///
    /// ```
    /// use gptimage_model::ImageFormat;
    /// assert_eq!(ImageFormat::sniff(b"\xff\xd8\xff\xe0 ..."), Some(ImageFormat::Jpeg));
    /// assert_eq!(ImageFormat::sniff(b"GIF89a......"), None);
    /// ```
    pub fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => None,
        }
    }

    /// Returns the media type, such as `image/png`.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
        }
    }

    /// Returns the file name extension without its dot: `png`, `jpg` or `webp`.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
        }
    }

    /// Returns whether files of this format use `extension` (without dot, in any case).
    pub fn has_extension(self, extension: &OsStr) -> bool {
        let is = |known: &str| extension.eq_ignore_ascii_case(known);
        match self {
            Self::Jpeg => ["jpg", "jpeg", "jpe", "jfif"].into_iter().any(is),
            Self::Png | Self::Webp => is(self.extension()),
        }
    }

    /// Returns the format whose files use `extension` (without dot, in any case).
    pub fn from_extension(extension: &OsStr) -> Option<Self> {
        [Self::Png, Self::Jpeg, Self::Webp].into_iter().find(|format| format.has_extension(extension))
    }

    /// Returns the wire name: `png`, `jpeg` or `webp`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
        }
    }
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
