//! Images that go up: where they come from, and what their first bytes say.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;

use super::pixels::{PixelFormat, encode};
use crate::error::Error;
use crate::image::{Image, ImageFormat, Location};
use crate::rules::{self, GPT_IMAGE_2};
use crate::text;
use crate::violation::{Rule, Violation};

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
    /// use gptimage_core::{ImageInput, PixelFormat};
    /// let red = [255, 0, 0].repeat(16 * 16);
    /// let input = ImageInput::pixels(16, 16, PixelFormat::Rgb, &red)?;
    /// assert_eq!(input.dimensions()?, (16, 16));
    /// # Ok::<(), gptimage_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if there are no pixels, or other than `width *
    /// height` of them.
    pub fn pixels(width: u32, height: u32, format: PixelFormat, pixels: &[u8]) -> Result<Self, Error> {
        Self::pixels_of("image", width, height, format, pixels)
    }

    /// As [`ImageInput::pixels`], for a parameter of this name, such as `image[2]` or `mask`.
    ///
    /// # Errors
    /// As [`ImageInput::pixels`].
    pub fn pixels_of(param: &str, width: u32, height: u32, format: PixelFormat, pixels: &[u8]) -> Result<Self, Error> {
        encode(param, width, height, format, pixels).map(Self::bytes)
    }

    /// Width and height in pixels, from the header. Blocks while it reads.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for what is no image that can be read.
    pub fn dimensions(&self) -> Result<(u32, u32), Error> {
        let inspected = self.inspect();
        Error::from_violations(rules::check_input("image", &inspected))?;
        let dimensions = inspected.as_ref().ok().and_then(|image| image.dimensions);
        let name = || inspected.as_ref().map_or("", |image| &image.name);
        dimensions.ok_or_else(|| {
            let message = format!("{} has no dimensions in its header; save it again", name());
            Error::violated(Violation::new("image", Rule::Format, name(), message))
        })
    }

    /// Opens the input and reads its header.
    pub(crate) fn inspect(&self) -> Result<Inspected, Defect> {
        self.inspect_with(|_, _| None)
    }

    /// As [`ImageInput::inspect`], and looks for transparency.
    pub(crate) fn inspect_mask(&self) -> Result<Inspected, Defect> {
        self.inspect_with(mask_alpha)
    }

    fn inspect_with(
        &self,
        alpha: impl Fn(&mut dyn ReadSeek, (u32, u32)) -> Option<MaskAlpha>,
    ) -> Result<Inspected, Defect> {
        match &self.0 {
            Kind::Bytes(bytes) => {
                let name = format!("the given {} bytes", bytes.len());
                let source = Source::Bytes(bytes.clone());
                inspect_content(name, bytes.len() as u64, source, &mut Cursor::new(bytes), alpha)
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
                inspect_content(name, metadata.len(), source, &mut BufReader::new(file), alpha)
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

impl From<Image> for ImageInput {
    fn from(image: Image) -> Self {
        match image.into_location() {
            Location::Memory(bytes) => Self::bytes(bytes),
            Location::File(path) => Self::path(path),
            Location::Url => Self(Kind::NotFetched("the image".to_owned())),
        }
    }
}

/// What an input turned out to be. It is a recipe: the body can be built from it as often as needed.
#[derive(Debug, Clone)]
pub(crate) struct Inspected {
    /// For messages.
    pub(crate) name: String,
    pub(crate) source: Source,
    pub(crate) len: u64,
    pub(crate) format: Option<ImageFormat>,
    pub(crate) dimensions: Option<(u32, u32)>,
    pub(crate) alpha: Option<MaskAlpha>,
}

/// Where the bytes are.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Bytes(Bytes),
    File { path: PathBuf, identity: FileIdentity },
}

/// What a mask's alpha channel holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MaskAlpha {
    Missing,
    Opaque,
    Transparent,
    Broken(String),
}

/// Why an input cannot be looked at.
#[derive(Debug)]
pub(crate) enum Defect {
    Unreadable { name: String, reason: String },
    NotRegular { name: String, what: &'static str },
}

impl Defect {
    fn unreadable(name: &str, error: &io::Error) -> Self {
        Self::Unreadable { name: name.to_owned(), reason: text::io_reason(error) }
    }
}

/// What tells that a file is still the one that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    len: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    node: (u64, u64, i64, i64),
}

impl FileIdentity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            node: {
                use std::os::unix::fs::MetadataExt;
                (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
            },
        }
    }
}

/// A link in a path's place. A file that is really called so is found with `./` before its name.
fn looks_like_url(path: &Path) -> bool {
    let Some(text) = path.to_str() else { return false };
    ["http:", "https:", "data:", "ftp:", "s3:", "gs:", "file:"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Opens a regular file and nothing else: opening a FIFO would hang, opening a device can do anything.
fn open_regular(path: &Path, name: &str) -> Result<(File, Metadata), Defect> {
    let unreadable = |error| Defect::unreadable(name, &error);
    let regular = |metadata: Metadata| match irregularity(&metadata) {
        None => Ok(metadata),
        Some(what) => Err(Defect::NotRegular { name: name.to_owned(), what }),
    };
    regular(std::fs::metadata(path).map_err(unreadable)?)?;
    let file = open_without_waiting(path).map_err(unreadable)?;
    // Once more on what was really opened: the name may point elsewhere by now.
    let metadata = regular(file.metadata().map_err(unreadable)?)?;
    Ok((file, metadata))
}

/// Opens for reading without waiting for the other end of a FIFO that took the file's place.
pub(crate) fn open_without_waiting(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC);
    }
    options.open(path)
}

fn irregularity(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return Some("a FIFO");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_block_device() || kind.is_char_device() {
            return Some("a device");
        }
    }
    Some("something else")
}

trait ReadSeek: BufRead + Seek {}
impl<T: BufRead + Seek> ReadSeek for T {}

fn inspect_content(
    name: String,
    len: u64,
    source: Source,
    content: &mut dyn ReadSeek,
    alpha: impl Fn(&mut dyn ReadSeek, (u32, u32)) -> Option<MaskAlpha>,
) -> Result<Inspected, Defect> {
    let unreadable = |error| Defect::unreadable(&name, &error);
    let mut head = Vec::with_capacity(ImageFormat::SNIFF_LEN);
    content.take(ImageFormat::SNIFF_LEN as u64).read_to_end(&mut head).map_err(unreadable)?;
    let format = ImageFormat::sniff(&head);
    content.rewind().map_err(unreadable)?;
    let dimensions = format.and_then(|_| crate::image::dimensions(&mut *content));
    let alpha = match (format, dimensions) {
        (Some(ImageFormat::Png), Some(dimensions)) => {
            content.rewind().map_err(unreadable)?;
            alpha(content, dimensions)
        }
        (Some(ImageFormat::Png), None) => Some(MaskAlpha::Broken("its header has no dimensions".to_owned())),
        _ => None,
    };
    Ok(Inspected { name, source, len, format, dimensions, alpha })
}

/// A mask of more pixels than this is not inflated: its dimensions cannot be an image's that the API takes.
const ALPHA_MAX_PIXELS: u64 = 1 << 27;

/// Reads row by row and stops at the first pixel that is not opaque.
fn mask_alpha(content: &mut dyn ReadSeek, (width, height): (u32, u32)) -> Option<MaskAlpha> {
    if u64::from(width) * u64::from(height) > ALPHA_MAX_PIXELS {
        return None;
    }
    Some(find_transparency(content).unwrap_or_else(|error| MaskAlpha::Broken(text::shorten(&error.to_string(), 200))))
}

fn find_transparency(content: &mut dyn ReadSeek) -> Result<MaskAlpha, png::DecodingError> {
    let mut decoder = png::Decoder::new(content);
    // Palettes and tRNS become an alpha channel.
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info()?;
    let (color, depth) = reader.output_color_type();
    if !matches!(color, png::ColorType::Rgba | png::ColorType::GrayscaleAlpha) {
        return Ok(MaskAlpha::Missing);
    }
    let sample = if depth == png::BitDepth::Sixteen { 2 } else { 1 };
    let pixel = color.samples() * sample;
    while let Some(row) = reader.next_row()? {
        let opaque = |pixel: &[u8]| pixel.iter().rev().take(sample).all(|byte| *byte == 0xff);
        if !row.data().chunks_exact(pixel).all(opaque) {
            return Ok(MaskAlpha::Transparent);
        }
    }
    Ok(MaskAlpha::Opaque)
}
