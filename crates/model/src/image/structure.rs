//! Checks whether an image is complete, and finds its orientation. Headers are read; pixels are not decoded.

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

use super::orientation::Orientation;
use super::{ImageFormat, dimensions};

/// Format, dimensions and length of a complete image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The format.
    pub format: ImageFormat,
    /// Width and height in pixels, if the header states them.
    pub dimensions: Option<(u32, u32)>,
    /// Length in bytes.
    pub len: u64,
}

/// Why content is not a complete image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It begins as an image and ends too early.
    #[error("the {format} picture is cut short after {len} bytes")]
    CutShort {
        /// The format of its beginning.
        format: ImageFormat,
        /// Length in bytes.
        len: u64,
    },
    /// It is not an image, or cannot be read.
    #[error("{0}")]
    Other(String),
}

/// Checks that `content` is a structurally complete PNG (chunks to IEND), JPEG (EOI after a scan) or WebP (RIFF
/// length). The error says what is wrong.
pub fn verify(mut content: impl Read + Seek, len: u64) -> Result<Verified, VerifyError> {
    let io = |error: io::Error| VerifyError::Other(format!("it cannot be read back: {error}"));
    content.rewind().map_err(io)?;
    let mut content = BufReader::with_capacity(1024, content);
    let mut head = Vec::with_capacity(ImageFormat::SNIFF_LEN);
    (&mut content).take(ImageFormat::SNIFF_LEN as u64).read_to_end(&mut head).map_err(io)?;
    let Some(format) = ImageFormat::sniff(&head) else {
        return Err(VerifyError::Other(describe_foreign(&head, len)));
    };
    if !Scan::read(&mut content, len).map_err(io)?.is_whole(len) {
        return Err(VerifyError::CutShort { format, len });
    }
    content.rewind().map_err(io)?;
    Ok(Verified { format, dimensions: dimensions(&mut content), len })
}

/// Checks bytes in memory like [`verify`].
pub fn verify_bytes(bytes: &[u8]) -> Result<Verified, VerifyError> {
    verify(Cursor::new(bytes), bytes.len() as u64)
}

fn describe_foreign(head: &[u8], len: u64) -> String {
    if len == 0 {
        return "it is empty".to_owned();
    }
    let looks_like_text = head.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'<' | b'{' | b'['));
    if looks_like_text {
        format!("{len} bytes of text came instead of a picture")
    } else {
        format!("its {len} bytes are no PNG, JPEG or WebP")
    }
}

/// Maximum length of an EXIF block that is searched for the orientation, in bytes.
const EXIF_MAX: u64 = 1 << 20;
/// Number of bytes by which a JPEG is recognised.
const JPEG_HEAD: u64 = 3;
/// Number of last bytes that are searched first for the end of a JPEG, because encoders may pad.
const JPEG_TAIL: u64 = 4096;

/// Scans the structure of an image whose bytes are read from a file or pushed in order.
#[derive(Debug)]
pub struct Scan {
    state: State,
    /// Number of bytes to skip before the next step.
    skip: u64,
    /// The bytes collected for the next step. `need` is how many it takes.
    held: Vec<u8>,
    need: u64,
    /// Position where the RIFF container of a WebP ends.
    riff_end: Option<u64>,
    orientation: Option<Orientation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The first bytes: enough to recognise a JPEG, then enough to recognise any format.
    Head,
    /// Length and name of a PNG chunk.
    PngChunk,
    /// The checksum of IEND.
    PngEnd,
    /// Name and length of a WebP chunk.
    WebpChunk,
    /// An EXIF block. After it, `after` bytes are skipped and the scan continues in state `then`.
    Exif { after: u64, then: Next },
    /// The next marker of a JPEG. The fields say whether the last byte was 0xff and whether a scan has begun.
    JpegMarker { after_ff: bool, scanned: bool },
    /// The length of a JPEG segment.
    JpegLength { marker: u8, scanned: bool },
    /// The end of the image was found.
    Whole,
    /// The structure is broken, so that no end can follow.
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    PngChunk,
    WebpChunk,
    JpegMarker { scanned: bool },
}

impl Default for Scan {
    fn default() -> Self {
        Self { state: State::Head, skip: 0, held: Vec::new(), need: JPEG_HEAD, riff_end: None, orientation: None }
    }
}

impl Scan {
    /// Scans a file of `len` bytes and reads only a small part of it.
    pub fn read<R: BufRead + Seek + ?Sized>(content: &mut R, len: u64) -> io::Result<Self> {
        content.rewind()?;
        let mut scan = Self::default();
        let mut at = 0;
        let mut tail_seen = false;
        while at < scan.riff_end.map_or(len, |end| end.min(len)) && !matches!(scan.state, State::Whole | State::Broken)
        {
            if scan.skip > 0 {
                let skipped = scan.skip.min(len - at);
                content.seek_relative(i64::try_from(skipped).unwrap_or(i64::MAX))?;
                scan.skip -= skipped;
                at += skipped;
                continue;
            }
            // If a JPEG ends where it should, its pixels need not be searched.
            if !tail_seen && matches!(scan.state, State::JpegMarker { scanned: true, .. }) {
                tail_seen = true;
                let tail_at = at.max(len.saturating_sub(JPEG_TAIL));
                content.seek(SeekFrom::Start(tail_at))?;
                let mut tail = Vec::new();
                (&mut *content).take(len - tail_at).read_to_end(&mut tail)?;
                if memchr::memmem::rfind(&tail, &[0xff, 0xd9]).is_some() {
                    scan.state = State::Whole;
                    break;
                }
                content.seek(SeekFrom::Start(at))?;
            }
            let bytes = content.fill_buf()?;
            // The file may have grown since it was opened.
            let taken = bytes.len().min(usize::try_from(len - at).unwrap_or(usize::MAX));
            let Some(bytes) = bytes.get(..taken).filter(|bytes| !bytes.is_empty()) else { break };
            let taken = scan.push_until_skip(bytes);
            content.consume(taken);
            at += taken as u64;
        }
        Ok(scan)
    }

    /// Scans the next bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !matches!(self.state, State::Whole | State::Broken) {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len() as u64);
                self.skip -= skipped;
                bytes = bytes.get(usize::try_from(skipped).unwrap_or(usize::MAX)..).unwrap_or_default();
                continue;
            }
            let taken = self.push_until_skip(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// Returns whether the image of `len` bytes is complete. Call it after all bytes were pushed.
    pub fn is_whole(&self, len: u64) -> bool {
        self.state == State::Whole || self.riff_end.is_some_and(|end| end <= len)
    }

    /// Returns the EXIF orientation, if there is one and the image is not upright.
    pub fn orientation(&self) -> Option<Orientation> {
        self.orientation
    }

    /// Consumes bytes until some must be skipped or all are consumed. Returns how many were consumed.
    fn push_until_skip(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            if self.skip > 0 || matches!(self.state, State::Whole | State::Broken) {
                break;
            }
            if let State::JpegMarker { after_ff, scanned } = self.state {
                taken += self.jpeg_marker(rest, after_ff, scanned);
                continue;
            }
            let missing = self.need.saturating_sub(self.held.len() as u64);
            let part = rest.get(..usize::try_from(missing).unwrap_or(usize::MAX)).unwrap_or(rest);
            self.held.extend_from_slice(part);
            taken += part.len();
            if self.held.len() as u64 >= self.need {
                let held = std::mem::take(&mut self.held);
                self.step(&held);
                // From here on, the caller may look for the end at another place.
                if matches!(self.state, State::JpegMarker { scanned: true, .. }) {
                    break;
                }
            }
        }
        taken
    }

    fn expect(&mut self, state: State, need: u64) {
        (self.state, self.need) = (state, need);
    }

    /// Continues after an EXIF block or skipped bytes.
    fn go_on(&mut self, next: Next) {
        match next {
            Next::PngChunk => self.expect(State::PngChunk, 8),
            Next::WebpChunk => self.expect(State::WebpChunk, 8),
            Next::JpegMarker { scanned } => self.state = State::JpegMarker { after_ff: false, scanned },
        }
    }

    /// Collects an EXIF block of `len` bytes. The `after` bytes that follow it are skipped.
    fn gather_exif(&mut self, len: u64, after: u64, then: Next) {
        let kept = len.min(EXIF_MAX);
        if kept == 0 || self.orientation.is_some() {
            self.skip = len + after;
            self.go_on(then);
        } else {
            self.expect(State::Exif { after: len - kept + after, then }, kept);
        }
    }

    /// Performs the next step with the bytes that it needs.
    fn step(&mut self, held: &[u8]) {
        match (self.state, held) {
            (State::Head, head) => self.begin(head),
            (State::PngChunk, [a, b, c, d, name @ ..]) => {
                let len = u64::from(u32::from_be_bytes([*a, *b, *c, *d]));
                match name {
                    b"IEND" if len == 0 => self.expect(State::PngEnd, 4),
                    b"IEND" => self.state = State::Broken,
                    b"eXIf" => self.gather_exif(len, 4, Next::PngChunk),
                    _ => {
                        self.skip = len + 4;
                        self.expect(State::PngChunk, 8);
                    }
                }
            }
            (State::PngEnd, _) => self.state = State::Whole,
            (State::WebpChunk, [name @ .., a, b, c, d]) => {
                let len = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
                let padding = len % 2;
                if name == b"EXIF" {
                    self.gather_exif(len, padding, Next::WebpChunk);
                } else {
                    self.skip = len + padding;
                    self.expect(State::WebpChunk, 8);
                }
            }
            (State::Exif { after, then }, block) => {
                self.orientation = Orientation::read(block);
                self.skip = after;
                self.go_on(then);
            }
            (State::JpegLength { marker, scanned }, [a, b]) => {
                const SOS: u8 = 0xda;
                const APP1: u8 = 0xe1;
                let len = u64::from(u16::from_be_bytes([*a, *b])).saturating_sub(2);
                let next = Next::JpegMarker { scanned: scanned || marker == SOS };
                if marker == APP1 && !scanned {
                    self.gather_exif(len, 0, next);
                } else {
                    self.skip = len;
                    self.go_on(next);
                }
            }
            _ => self.state = State::Broken,
        }
    }

    fn begin(&mut self, head: &[u8]) {
        match (ImageFormat::sniff(head), head) {
            (Some(ImageFormat::Png), [_, _, _, _, _, _, _, _, chunk @ ..]) => {
                self.expect(State::PngChunk, 8);
                self.held.extend_from_slice(chunk);
            }
            // The last of the bytes by which a JPEG is recognised begins a marker.
            (Some(ImageFormat::Jpeg), _) => self.state = State::JpegMarker { after_ff: true, scanned: false },
            (Some(ImageFormat::Webp), [_, _, _, _, a, b, c, d, ..]) => {
                self.riff_end = Some(u64::from(u32::from_le_bytes([*a, *b, *c, *d])) + 8);
                self.expect(State::WebpChunk, 8);
            }
            (_, head) if head.len() < ImageFormat::SNIFF_LEN => {
                self.expect(State::Head, ImageFormat::SNIFF_LEN as u64);
                self.held.extend_from_slice(head);
            }
            _ => self.state = State::Broken,
        }
    }

    /// Looks for the next marker. Bytes between segments are skipped, as decoders do. The pixels of a scan are skipped
    /// in the same way: in them, an 0xff is never followed by the code of the end marker.
    fn jpeg_marker(&mut self, bytes: &[u8], after_ff: bool, scanned: bool) -> usize {
        if !after_ff {
            let found = memchr::memchr(0xff, bytes);
            self.state = State::JpegMarker { after_ff: found.is_some(), scanned };
            return found.map_or(bytes.len(), |at| at + 1);
        }
        match bytes.first() {
            // A fill byte.
            Some(0xff) => {}
            Some(0xd9) if scanned => self.state = State::Whole,
            // Not a marker, or a marker without a segment.
            Some(0x00 | 0x01 | 0xd0..=0xd9) => self.go_on(Next::JpegMarker { scanned }),
            Some(marker) => self.expect(State::JpegLength { marker: *marker, scanned }, 2),
            None => {}
        }
        1
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Cursor};

    use super::{Scan, verify_bytes};
    use crate::ImageFormat;

    const PNG: &[u8] = include_bytes!("../../../../tests/fixtures/rgba-4x4.png");
    const WEBP: &[u8] = include_bytes!("../../../../tests/fixtures/rgb-4x4.webp");
    const JPEG: &[u8] = include_bytes!("../../../../tests/fixtures/rgb-4x4.jpg");
    /// Images with an EXIF block.
    const TAGGED: [&[u8]; 3] = [
        include_bytes!("../../../../tests/fixtures/exif-6-8x4.jpg"),
        include_bytes!("../../../../tests/fixtures/exif-6-8x4.png"),
        include_bytes!("../../../../tests/fixtures/exif-6-8x4.webp"),
    ];

    #[test]
    fn every_cut_of_a_picture_is_noticed() {
        let verified = verify_bytes(PNG).unwrap();
        assert_eq!((verified.format, verified.dimensions), (ImageFormat::Png, Some((4, 4))));
        for whole in [PNG, WEBP, JPEG].into_iter().chain(TAGGED) {
            assert!(verify_bytes(whole).unwrap().dimensions.is_some());
            for end in 0..whole.len() {
                assert!(verify_bytes(&whole[..end]).is_err(), "cut after {end} bytes");
            }
        }
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_come() {
        for whole in [PNG, WEBP, JPEG].into_iter().chain(TAGGED) {
            for end in 0..=whole.len() {
                let (part, len) = (&whole[..end], end as u64);
                let seen = |scan: &Scan| (scan.is_whole(len), scan.orientation());
                let read = Scan::read(&mut BufReader::with_capacity(3, Cursor::new(part)), len).unwrap();
                for size in [1, 5, 7, 4096] {
                    let mut pushed = Scan::default();
                    part.chunks(size).for_each(|chunk| pushed.push(chunk));
                    assert_eq!(seen(&pushed), seen(&read), "{end} bytes in pieces of {size}");
                }
            }
        }
    }

    #[test]
    fn what_follows_the_end_is_no_matter() {
        for whole in [PNG, WEBP, JPEG].into_iter().chain(TAGGED) {
            for more in [&b"\0"[..], &[0; 9000], whole, b"\xff", b"\xff\xd8\xff"] {
                assert!(verify_bytes(&[whole, more].concat()).is_ok());
            }
        }
    }

    /// The end marker of a thumbnail is not that of the image, even if it is among the last bytes.
    #[test]
    fn a_jpeg_that_ends_behind_its_thumbnail_is_cut() {
        let thumbnail = [b"\xff\xe2\x02\x00".as_slice(), &[7; 500], b"\xff\xd9", &[7; 8]].concat();
        let whole = [&JPEG[..2], &thumbnail, &JPEG[2..]].concat();
        assert!(verify_bytes(&whole).is_ok());
        for end in 0..whole.len() {
            assert!(verify_bytes(&whole[..end]).is_err(), "cut after {end} bytes");
        }
    }

    #[test]
    fn what_stands_between_the_segments_of_a_jpeg_is_passed_over() {
        let (start, rest) = JPEG.split_at(2);
        for between in [&b"\xff\xff"[..], b"\0\0\0", b"garbage\xff\0", b"\xff\x01"] {
            assert!(verify_bytes(&[start, between, rest].concat()).is_ok() || between[0] != 0xff);
            let mut scan = Scan::default();
            scan.push(&[b"\xff\xd8\xff\xe0\0\x04ab", between, &JPEG[2..]].concat());
            assert!(scan.is_whole(0), "{between:?}");
        }
    }

    #[test]
    fn text_is_named_as_such() {
        assert_eq!(verify_bytes(b"<html>").unwrap_err().to_string(), "6 bytes of text came instead of a picture");
        assert_eq!(verify_bytes(b"").unwrap_err().to_string(), "it is empty");
    }
}
