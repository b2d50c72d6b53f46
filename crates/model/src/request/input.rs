//! Images that go up, and where they come from.

use std::fmt;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::inspect::{Content, Defect, FileIdentity, Inspected, Source, inspect, open_regular};
use super::pixels::{PixelFormat, encode};
use crate::rules::{self, GPT_IMAGE_2};
use crate::text;
use crate::violation::{InvalidRequest, Rule, Violation};

/// An image to upload: a file's path, bytes, or what a reader held.
///
/// A path is opened when the request is built, to look at it, and again when it is sent; a file that changed in between
/// is refused before its last byte leaves. Bytes are shared, not copied.
#[derive(Clone)]
pub struct ImageInput(Kind);

#[derive(Clone)]
enum Kind {
    Path(PathBuf),
    Bytes(Bytes),
    NotFetched(String),
}

impl ImageInput {
    /// An image that is still at a URL: `build` refuses it and says to fetch it first. `name` is for the message.
    pub fn not_fetched(name: impl Into<String>) -> Self {
        Self(Kind::NotFetched(name.into()))
    }

    /// A file, which is streamed from disk.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Path(path.into()))
    }

    /// A whole file's bytes.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Bytes(bytes.into()))
    }

    /// Reads `reader` to its end.
    ///
    /// # Errors
    /// Those of `reader`, and [`io::ErrorKind::FileTooLarge`] if it holds more than the largest image that the API takes,
    /// 50 MB.
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

    /// Pixels in memory, encoded as PNG now: rows from the top, without padding, 8 bits a sample.
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
    /// [`InvalidRequest`] if there are no pixels, or other than `width *
    /// height` of them.
    pub fn pixels(width: u32, height: u32, format: PixelFormat, pixels: &[u8]) -> Result<Self, InvalidRequest> {
        Self::pixels_of("image", width, height, format, pixels)
    }

    /// As [`ImageInput::pixels`], for a parameter of this name, such as `image[2]` or `mask`.
    ///
    /// # Errors
    /// As [`ImageInput::pixels`].
    pub fn pixels_of(
        param: &str,
        width: u32,
        height: u32,
        format: PixelFormat,
        pixels: &[u8],
    ) -> Result<Self, InvalidRequest> {
        encode(param, width, height, format, pixels).map(Self::bytes)
    }

    /// Width and height in pixels as people see the image: from the header, and turned as its EXIF orientation says. Blocks
    /// while it reads.
    ///
    /// # Errors
    /// [`InvalidRequest`] for what is no whole image that can be read.
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

    /// Opens the input, reads its headers and walks to its end.
    pub(crate) fn inspect(&self) -> Result<Inspected, Defect> {
        self.inspect_as(Content::Image)
    }

    /// As [`ImageInput::inspect`], and looks for transparency.
    pub(crate) fn inspect_mask(&self) -> Result<Inspected, Defect> {
        self.inspect_as(Content::Mask)
    }

    fn inspect_as(&self, what: Content) -> Result<Inspected, Defect> {
        match &self.0 {
            Kind::Bytes(bytes) => {
                let name = format!("the given {} bytes", bytes.len());
                let source = Source::Bytes(bytes.clone());
                inspect(name, bytes.len() as u64, source, &mut Cursor::new(bytes), what)
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
                inspect(name, metadata.len(), source, &mut BufReader::new(file), what)
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

/// A link in a path's place. A file that is really called so is found with `./` before its name.
fn looks_like_url(path: &Path) -> bool {
    let Some(text) = path.to_str() else { return false };
    ["http:", "https:", "data:", "ftp:", "s3:", "gs:", "file:"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}
