//! Whether a picture is whole: against a second reading of the formats, and against every way of cutting it.

use gptimage_core::ImageFormat;
use gptimage_core::internals;

/// Two bytes say where to cut; the rest is a picture.
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

/// Where the picture ends, in a format that says so; `None`: it is not whole, or a JPEG.
fn judge(picture: &[u8]) -> Option<usize> {
    let found = internals::complete(picture);
    let format = ImageFormat::sniff(picture);
    let end = match format {
        Some(ImageFormat::Png) => png_end(picture),
        Some(ImageFormat::Webp) => webp_end(picture),
        Some(ImageFormat::Jpeg) => {
            let tail = &picture[picture.len().saturating_sub(4096)..];
            assert_eq!(found.is_ok(), tail.windows(2).any(|pair| pair == [0xff, 0xd9]));
            return None;
        }
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

fn webp_end(picture: &[u8]) -> Option<usize> {
    let end = u32::from_le_bytes(*picture.get(4..)?.first_chunk()?) as usize + 8;
    (end <= picture.len()).then_some(end)
}
