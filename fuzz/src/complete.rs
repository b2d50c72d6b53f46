//! Detection of complete images, compared with a second parser of the formats and with every way of cutting the
//! image.

use gptimage_core::ImageFormat;
use gptimage_core::internals;

/// Tests an image; its first two bytes say where to cut it.
pub fn complete(data: &[u8]) {
    let Some((cut, picture)) = data.split_first_chunk::<2>() else { return };
    let end = judge(picture);
    let cut = usize::from(u16::from_le_bytes(*cut)) % (picture.len() + 1);
    judge(&picture[..cut]);
    if let Some(end) = end
        && cut < end
    {
        assert_eq!(judge(&picture[..cut]), None, "a picture that ends at {end} is not whole at {cut}");
    }
}

/// Returns the offset where the image ends; `None` if it is incomplete.
fn judge(picture: &[u8]) -> Option<usize> {
    let found = internals::complete(picture);
    let format = ImageFormat::sniff(picture);
    let end = match format {
        Some(ImageFormat::Png) => png_end(picture),
        Some(ImageFormat::Webp) => webp_end(picture),
        Some(ImageFormat::Jpeg) => jpeg_end(picture),
        _ => None,
    };
    assert_eq!(found.is_ok(), end.is_some(), "{found:?}, but it ends at {end:?}");
    assert_eq!(found.ok().map(|(format, _)| format), format.filter(|_| end.is_some()));
    end
}

fn png_end(picture: &[u8]) -> Option<usize> {
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(*picture.get(at..)?.first_chunk()?) as usize;
        let name = picture.get(at + 4..at + 8)?;
        let end = at + 12 + length;
        if name == b"IEND" {
            return (length == 0 && end <= picture.len()).then_some(end);
        }
        at = end;
    }
}

/// Returns the first end of image after the header of a scan. This second parser may look at bytes that the library
/// skips: the library does not walk from the scan's header to an end marker among the last bytes.
fn jpeg_end(picture: &[u8]) -> Option<usize> {
    let mut at = 2;
    let scan = loop {
        at += picture.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        at += picture.get(at..)?.iter().position(|byte| *byte != 0xff)?;
        let marker = *picture.get(at)?;
        at += 1;
        if !matches!(marker, 0x00 | 0x01 | 0xd0..=0xd9) {
            let length = u16::from_be_bytes(*picture.get(at..)?.first_chunk()?);
            at += usize::from(length.max(2));
            if marker == 0xda {
                break at;
            }
        }
    };
    let tail = scan.max(picture.len().saturating_sub(4096));
    if picture.get(tail..)?.windows(2).any(|pair| pair == [0xff, 0xd9]) {
        let rest = picture.get(scan..)?;
        return rest.windows(2).position(|pair| pair == [0xff, 0xd9]).map(|end| scan + end + 2);
    }
    let mut at = scan;
    loop {
        at += picture.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        at += picture.get(at..)?.iter().position(|byte| *byte != 0xff)?;
        let marker = *picture.get(at)?;
        at += 1;
        match marker {
            0xd9 => return Some(at),
            0x00 | 0x01 | 0xd0..=0xd8 => {}
            _ => at += usize::from(u16::from_be_bytes(*picture.get(at..)?.first_chunk()?).max(2)),
        }
    }
}

fn webp_end(picture: &[u8]) -> Option<usize> {
    let end = u32::from_le_bytes(*picture.get(4..)?.first_chunk()?) as usize + 8;
    (end <= picture.len()).then_some(end)
}
