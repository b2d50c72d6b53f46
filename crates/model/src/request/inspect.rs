//! Inspects inputs: headers, structure and, for a mask, the alpha channel.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufRead, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;

use crate::image::{ImageFormat, Orientation, Scan};
use crate::text;

/// An inspected input. A body can be built from it any number of times.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// The name used in messages.
    pub name: String,
    /// The source of the bytes.
    pub source: Source,
    /// Length in bytes.
    pub len: u64,
    /// The format, from the first bytes.
    pub format: Option<ImageFormat>,
    /// Width and height in pixels as stored, before the EXIF orientation is applied.
    pub dimensions: Option<(u32, u32)>,
    /// Whether the structure is complete to its end.
    pub whole: bool,
    /// The EXIF orientation; `None` if the image is upright.
    pub orientation: Option<Orientation>,
    /// The content of the alpha channel, for a mask.
    pub alpha: Option<MaskAlpha>,
}

impl Inspected {
    /// Returns width and height as displayed, with the EXIF orientation applied.
    pub fn seen_dimensions(&self) -> Option<(u32, u32)> {
        let (width, height) = self.dimensions?;
        Some(if self.orientation.is_some_and(Orientation::swaps) { (height, width) } else { (width, height) })
    }
}

/// The purpose of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputRole {
    /// An input image.
    Image,
    /// A mask; its alpha channel is read.
    Mask,
}

/// The source of an input's bytes.
#[derive(Debug, Clone)]
pub enum Source {
    /// Bytes in memory.
    Bytes(Bytes),
    /// A file that must not change until it was sent.
    File {
        /// The absolute path.
        path: PathBuf,
        /// The identity of the inspected file, to detect changes.
        identity: FileIdentity,
    },
}

/// The content of a mask's alpha channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskAlpha {
    /// There is no alpha channel.
    Missing,
    /// Every pixel is fully opaque.
    Opaque,
    /// Some pixels are half transparent, none is fully transparent.
    OnlyHalf,
    /// Some pixels are fully transparent.
    Transparent {
        /// Whether there are also half-transparent pixels.
        half: bool,
    },
    /// The mask cannot be decoded, for this reason.
    Broken(String),
}

/// Why an input cannot be inspected.
#[derive(Debug)]
pub enum Defect {
    /// The input cannot be opened or read.
    Unreadable {
        /// The name used in messages.
        name: String,
        /// The reason.
        reason: String,
    },
    /// The path leads to a folder, FIFO, socket or device.
    NotRegular {
        /// The name used in messages.
        name: String,
        /// The kind of the object, such as `a folder`.
        what: &'static str,
    },
}

impl Defect {
    pub(crate) fn unreadable(name: &str, error: &io::Error) -> Self {
        Self::Unreadable { name: name.to_owned(), reason: text::io_reason(error) }
    }
}

/// Identifies a file and its state, to detect a change after the inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileIdentity {
    len: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    node: (u64, u64, i64, i64),
}

impl FileIdentity {
    /// Returns the identity of an opened file.
    pub fn of(metadata: &Metadata) -> Self {
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

/// Opens a file only if it is a regular one: opening a FIFO would block, and opening a device may have side effects.
pub(crate) fn open_regular(path: &Path, name: &str) -> Result<(File, Metadata), Defect> {
    let unreadable = |error| Defect::unreadable(name, &error);
    let regular = |metadata: Metadata| match irregularity(&metadata) {
        None => Ok(metadata),
        Some(what) => Err(Defect::NotRegular { name: name.to_owned(), what }),
    };
    regular(std::fs::metadata(path).map_err(unreadable)?)?;
    let file = open_without_waiting(path).map_err(unreadable)?;
    // Check again what was really opened, because the path may lead elsewhere by now.
    let metadata = regular(file.metadata().map_err(unreadable)?)?;
    Ok((file, metadata))
}

/// Opens a file for reading. If a FIFO has replaced the file, this does not wait for its writer.
pub fn open_without_waiting(path: &Path) -> io::Result<File> {
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

pub(crate) trait ReadSeek: BufRead + Seek {}
impl<T: BufRead + Seek> ReadSeek for T {}

/// Inspects the content of an input: a small part of an image, all of a mask's alpha channel.
pub(crate) fn inspect(
    name: String,
    len: u64,
    source: Source,
    content: &mut dyn ReadSeek,
    role: InputRole,
) -> Result<Inspected, Defect> {
    let looked = Scan::read(content, len).and_then(|scan| inspect_scan(&scan, len, content, role));
    match looked {
        Ok(seen) => Ok(seen.of(name, source, len)),
        Err(error) => Err(Defect::unreadable(&name, &error)),
    }
}

/// The properties found in the bytes of an input.
struct Seen {
    format: Option<ImageFormat>,
    dimensions: Option<(u32, u32)>,
    whole: bool,
    orientation: Option<Orientation>,
    alpha: Option<MaskAlpha>,
}

impl Seen {
    fn of(self, name: String, source: Source, len: u64) -> Inspected {
        let Self { format, dimensions, whole, orientation, alpha } = self;
        Inspected { name, source, len, format, dimensions, whole, orientation, alpha }
    }
}

/// Determines the properties of scanned content. `content` may be only its first bytes, except for a mask.
fn inspect_scan(scan: &Scan, len: u64, content: &mut dyn ReadSeek, role: InputRole) -> io::Result<Seen> {
    content.rewind()?;
    let mut head = Vec::with_capacity(ImageFormat::SNIFF_LEN);
    content.take(ImageFormat::SNIFF_LEN as u64).read_to_end(&mut head)?;
    let format = ImageFormat::sniff(&head);
    content.rewind()?;
    let dimensions = format.and_then(|_| crate::image::dimensions(&mut *content));
    let whole = scan.is_whole(len);
    let alpha = match (role, format, dimensions) {
        (InputRole::Mask, Some(ImageFormat::Png), Some(dimensions)) if whole => {
            content.rewind()?;
            mask_alpha(content, dimensions)
        }
        (InputRole::Mask, Some(ImageFormat::Png), None) => {
            Some(MaskAlpha::Broken("its header has no dimensions".to_owned()))
        }
        _ => None,
    };
    Ok(Seen { format, dimensions, whole, orientation: scan.orientation(), alpha })
}

/// Maximum number of pixels of a mask that is decoded. No image that the API accepts has such dimensions.
const ALPHA_MAX_PIXELS: u64 = 1 << 27;

/// Reads the alpha channel row by row, until a fully and a half-transparent pixel were found, or to the end.
fn mask_alpha(content: &mut dyn ReadSeek, (width, height): (u32, u32)) -> Option<MaskAlpha> {
    if u64::from(width) * u64::from(height) > ALPHA_MAX_PIXELS {
        return None;
    }
    Some(find_transparency(content).unwrap_or_else(|error| MaskAlpha::Broken(text::shorten(&error.to_string(), 200))))
}

fn find_transparency(content: &mut dyn ReadSeek) -> Result<MaskAlpha, png::DecodingError> {
    let mut decoder = png::Decoder::new(content);
    // Converts palettes and tRNS to an alpha channel.
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info()?;
    let (color, depth) = reader.output_color_type();
    if !matches!(color, png::ColorType::Rgba | png::ColorType::GrayscaleAlpha) {
        return Ok(MaskAlpha::Missing);
    }
    let sample = if depth == png::BitDepth::Sixteen { 2 } else { 1 };
    let pixel = color.samples() * sample;
    let (mut clear, mut half) = (false, false);
    while let Some(row) = reader.next_row()? {
        for pixel in row.data().chunks_exact(pixel) {
            let mut alpha = pixel.iter().rev().take(sample);
            let (all_0, all_ff) = (alpha.clone().all(|byte| *byte == 0), alpha.all(|byte| *byte == 0xff));
            clear |= all_0;
            half |= !all_0 && !all_ff;
        }
        if clear && half {
            break;
        }
    }
    Ok(match (clear, half) {
        (true, half) => MaskAlpha::Transparent { half },
        (false, true) => MaskAlpha::OnlyHalf,
        (false, false) => MaskAlpha::Opaque,
    })
}

/// A file as a server receives it, in pieces. For the emulator only; not part of the public interface.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct ReceivedFile {
    scan: Scan,
    len: u64,
}

impl ReceivedFile {
    /// Appends the next bytes.
    #[doc(hidden)]
    pub fn push(&mut self, bytes: &[u8]) {
        self.scan.push(bytes);
        self.len += bytes.len() as u64;
    }

    /// Returns the length in bytes.
    #[doc(hidden)]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns whether there are no bytes.
    #[doc(hidden)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Inspects the file. `kept` is the whole file or its first bytes.
    pub(crate) fn inspect(&self, kept: &Bytes, role: InputRole) -> Result<Inspected, Defect> {
        let name = "the file".to_owned();
        // A part of a file cannot be decompressed.
        let role = if kept.len() as u64 == self.len { role } else { InputRole::Image };
        match inspect_scan(&self.scan, self.len, &mut Cursor::new(kept), role) {
            Ok(seen) => Ok(seen.of(name, Source::Bytes(kept.clone()), self.len)),
            Err(error) => Err(Defect::unreadable(&name, &error)),
        }
    }
}
