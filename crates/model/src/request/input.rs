//! Images to upload, and their sources.

use std::fmt;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::inspect::{Defect, FileIdentity, InputRole, Inspected, Source, inspect, open_regular};
use super::pixels::{PixelFormat, encode};
use crate::rules::{self, GPT_IMAGE_2};
use crate::text;
use crate::violation::{InvalidRequest, Rule, Violation};

/// An image to upload: the path of a file, bytes, or the content of a reader.
///
/// A file is opened when the request is built, to inspect it, and again when it is sent. If it changed in between, the
/// call fails before the last byte of the body is sent. Bytes are shared, not copied.
#[derive(Clone)]
pub struct ImageInput(Kind);

#[derive(Clone)]
enum Kind {
    Path(PathBuf),
    Bytes(Bytes),
    NotFetched(String),
}

impl ImageInput {
    /// Creates an input for an image that was not downloaded yet. `build` rejects it with a hint to fetch it first.
    /// `name` is used in the message.
    pub fn not_fetched(name: impl Into<String>) -> Self {
        Self(Kind::NotFetched(name.into()))
    }

    /// Creates an input from a file, which is streamed from disk.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Path(path.into()))
    }

    /// Creates an input from the bytes of a whole file.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Bytes(bytes.into()))
    }

    /// Reads `reader` to its end and creates an input from the bytes.
    ///
    /// # Errors
    /// Errors of `reader`, and [`io::ErrorKind::FileTooLarge`] if it yields more than the API's limit for an image, 50
    /// MB.
    pub fn reader(reader: impl Read) -> io::Result<Self> {
        let max = GPT_IMAGE_2.image_max_bytes;
        let mut bytes = Vec::new();
        reader.take(max + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > max {
            let message = format!("it holds more than {max} bytes, the limit of an image; make it smaller");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(Self::bytes(bytes))
    }

    /// Encodes pixels in memory as PNG. Rows run from top to bottom without padding, with 8 bits per sample.
    ///
    /// ```
    /// use gptimage_model::{ImageInput, PixelFormat};
    /// let red = [255, 0, 0].repeat(16 * 16);
    /// let input = ImageInput::pixels(16, 16, PixelFormat::Rgb, &red)?;
    /// assert_eq!(input.dimensions()?, (16, 16));
    /// # Ok::<(), gptimage_model::InvalidRequest>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`] if a side is 0 or if `pixels` does not have exactly `width * height` pixels.
    pub fn pixels(width: u32, height: u32, format: PixelFormat, pixels: &[u8]) -> Result<Self, InvalidRequest> {
        Self::pixels_of("image", width, height, format, pixels)
    }

    /// Encodes pixels like [`ImageInput::pixels`]; errors name the parameter `param`, such as `image[2]` or `mask`.
    ///
    /// # Errors
    /// The same as [`ImageInput::pixels`].
    pub fn pixels_of(
        param: &str,
        width: u32,
        height: u32,
        format: PixelFormat,
        pixels: &[u8],
    ) -> Result<Self, InvalidRequest> {
        encode(param, width, height, format, pixels).map(Self::bytes)
    }

    /// Returns width and height in pixels as displayed: the dimensions in the header, swapped if the EXIF orientation
    /// says so. Blocks while it reads the file.
    ///
    /// # Errors
    /// [`InvalidRequest`] if the input cannot be read or is not a complete image.
    pub fn dimensions(&self) -> Result<(u32, u32), InvalidRequest> {
        let inspected = self.inspect();
        InvalidRequest::unless_none(rules::check_input("image", &inspected))?;
        let dimensions = inspected.as_ref().ok().and_then(Inspected::seen_dimensions);
        let name = || inspected.as_ref().map_or("", |image| &image.name);
        dimensions.ok_or_else(|| {
            let message = format!("{} has no dimensions in its header; save it again", name());
            InvalidRequest::from(Violation::new("image", Rule::Format, name(), message))
        })
    }

    /// Opens the input, reads its headers and checks its structure to the end.
    pub(crate) fn inspect(&self) -> Result<Inspected, Defect> {
        self.inspect_as(InputRole::Image)
    }

    /// Inspects the input as a mask: also reads its alpha channel.
    pub(crate) fn inspect_mask(&self) -> Result<Inspected, Defect> {
        self.inspect_as(InputRole::Mask)
    }

    fn inspect_as(&self, role: InputRole) -> Result<Inspected, Defect> {
        match &self.0 {
            Kind::Bytes(bytes) => {
                let name = format!("the given {} bytes", bytes.len());
                let source = Source::Bytes(bytes.clone());
                inspect(name, bytes.len() as u64, source, &mut Cursor::new(bytes), role)
            }
            Kind::Path(path) => {
                let name = text::path(path);
                if path.as_os_str().is_empty() {
                    let reason = "an empty path names no file".to_owned();
                    return Err(Defect::Unreadable { name: "\"\"".to_owned(), reason });
                }
                if looks_like_url(path) {
                    let reason = match name.get(..5) {
                        Some("data:") => "it is a data: URI, and the API takes files; decode it and give the bytes",
                        _ => {
                            "it is a URL, and the API takes files; download it first (`curl -O URL` does) and give the \
                             file's path or bytes"
                        }
                    };
                    return Err(Defect::Unreadable { name, reason: reason.to_owned() });
                }
                let path = std::path::absolute(path).map_err(|error| Defect::unreadable(&name, &error))?;
                let (file, metadata) = open_regular(&path, &name)?;
                let source = Source::File { path, identity: FileIdentity::of(&metadata) };
                inspect(name, metadata.len(), source, &mut BufReader::new(file), role)
            }
            Kind::NotFetched(url) => Err(Defect::Unreadable {
                name: text::shorten(url, 200),
                reason: "the API takes files, and this image was not downloaded yet; fetch it first".to_owned(),
            }),
        }
    }
}

impl fmt::Debug for ImageInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Path(path) => write!(f, "ImageInput({})", path.display()),
            Kind::Bytes(bytes) => write!(f, "ImageInput({} bytes)", bytes.len()),
            Kind::NotFetched(_) => f.write_str("ImageInput(not fetched)"),
        }
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for ImageInput {
    fn from(path: &P) -> Self {
        Self::path(path.as_ref())
    }
}

impl From<PathBuf> for ImageInput {
    fn from(path: PathBuf) -> Self {
        Self::path(path)
    }
}

impl From<String> for ImageInput {
    fn from(path: String) -> Self {
        Self::path(path)
    }
}

impl From<Bytes> for ImageInput {
    fn from(bytes: Bytes) -> Self {
        Self::bytes(bytes)
    }
}

impl From<Vec<u8>> for ImageInput {
    fn from(bytes: Vec<u8>) -> Self {
        Self::bytes(bytes)
    }
}

/// Returns whether a path is really a URL. A file with such a name can be given with `./` before it.
fn looks_like_url(path: &Path) -> bool {
    let Some(text) = path.to_str() else { return false };
    ["http:", "https:", "data:", "ftp:", "s3:", "gs:", "file:"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}
