//! Whether a picture arrived whole. Headers are walked; pixels are not decoded.

use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

use super::{ImageFormat, dimensions};

/// What the bytes of a complete picture say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) format: ImageFormat,
    pub(crate) dimensions: Option<(u32, u32)>,
    pub(crate) len: u64,
}

/// How far from the end of a JPEG its end marker may be: encoders may pad.
const JPEG_TAIL: u64 = 4096;

/// Checks that `content` is a structurally complete PNG (its chunks lead to IEND), JPEG (EOI at the end) or WebP (the
/// RIFF length). The message says what is wrong.
pub(crate) fn verify(mut content: impl Read + Seek, len: u64) -> Result<Verified, String> {
    let io = |error: std::io::Error| format!("it cannot be read back: {error}");
    content.rewind().map_err(io)?;
    let mut content = BufReader::with_capacity(1024, content);
    let mut head = Vec::with_capacity(ImageFormat::SNIFF_LEN);
    (&mut content).take(ImageFormat::SNIFF_LEN as u64).read_to_end(&mut head).map_err(io)?;
    let Some(format) = ImageFormat::sniff(&head) else {
        return Err(describe_foreign(&head, len));
    };
    let whole = match format {
        ImageFormat::Png => png_reaches_end(&mut content),
        ImageFormat::Jpeg => jpeg_reaches_end(&mut content, len),
        ImageFormat::Webp => webp_reaches_end(&head, len),
    };
    if !whole {
        return Err(format!("the {format} picture is cut short after {len} bytes"));
    }
    content.rewind().map_err(io)?;
    Ok(Verified { format, dimensions: dimensions(&mut content), len })
}

/// As [`verify`], of bytes in memory.
pub(crate) fn verify_bytes(bytes: &[u8]) -> Result<Verified, String> {
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

/// Follows the chunk lengths up to IEND. A jump over data does not read it.
fn png_reaches_end(content: &mut (impl BufRead + Seek)) -> bool {
    const SIGNATURE: u64 = 8;
    if content.seek(SeekFrom::Start(SIGNATURE)).is_err() {
        return false;
    }
    loop {
        let mut head = [0; 8];
        if content.read_exact(&mut head).is_err() {
            return false;
        }
        let [a, b, c, d, name @ ..] = head;
        let length = u32::from_be_bytes([a, b, c, d]);
        if &name == b"IEND" {
            let mut checksum = [0; 4];
            return length == 0 && content.read_exact(&mut checksum).is_ok();
        }
        if content.seek_relative(i64::from(length) + 4).is_err() {
            return false;
        }
    }
}

fn jpeg_reaches_end(content: &mut (impl BufRead + Seek), len: u64) -> bool {
    let mut tail = Vec::new();
    content.seek(SeekFrom::Start(len.saturating_sub(JPEG_TAIL))).is_ok()
        && content.read_to_end(&mut tail).is_ok()
        && memchr::memmem::rfind(&tail, &[0xff, 0xd9]).is_some()
}

fn webp_reaches_end(head: &[u8], len: u64) -> bool {
    let [_, _, _, _, a, b, c, d, ..] = head else { return false };
    len >= u64::from(u32::from_le_bytes([*a, *b, *c, *d])) + 8
}

#[cfg(test)]
mod tests {
    use super::verify_bytes;
    use crate::ImageFormat;

    #[test]
    fn every_cut_of_a_png_is_noticed() {
        let whole = include_bytes!("../../../../tests/fixtures/rgba-4x4.png");
        let verified = verify_bytes(whole).unwrap();
        assert_eq!((verified.format, verified.dimensions), (ImageFormat::Png, Some((4, 4))));
        for end in 0..whole.len() {
            assert!(verify_bytes(&whole[..end]).is_err(), "cut after {end} bytes");
        }
    }

    #[test]
    fn every_cut_of_a_webp_and_of_a_jpeg_is_noticed() {
        for whole in [
            &include_bytes!("../../../../tests/fixtures/rgb-4x4.webp")[..],
            &include_bytes!("../../../../tests/fixtures/rgb-4x4.jpg")[..],
        ] {
            assert_eq!(verify_bytes(whole).unwrap().dimensions, Some((4, 4)));
            for end in 0..whole.len() {
                assert!(verify_bytes(&whole[..end]).is_err(), "cut after {end} bytes");
            }
        }
    }

    #[test]
    fn text_is_named_as_such() {
        assert_eq!(verify_bytes(b"<html>").unwrap_err(), "6 bytes of text came instead of a picture");
        assert_eq!(verify_bytes(b"").unwrap_err(), "it is empty");
    }
}
