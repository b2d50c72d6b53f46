//! Heads of pictures: told apart by their first bytes, their dimensions and alpha read without trusting them.

use gptimage_core::{EditRequest, Image, ImageFormat, ImageInput};

/// The bytes are a picture, or begin like one.
pub fn header(data: &[u8]) {
    let format = ImageFormat::sniff(data);
    let head = &data[..data.len().min(ImageFormat::SNIFF_LEN)];
    assert_eq!(ImageFormat::sniff(head), format, "so many bytes tell every format");
    let image = Image::from_bytes(data.to_vec());
    if let (Some(ImageFormat::Png), Some((width, height)), Some(header)) =
        (image.format(), image.dimensions(), data.get(16..24))
    {
        assert_eq!([width.to_be_bytes(), height.to_be_bytes()].concat(), header, "a PNG's are in its first chunk");
    }
    assert!(image.dimensions().is_none_or(|(width, height)| width > 0 && height > 0), "nothing is no dimension");
    // As an input and as a mask: any bytes are judged, and never a reason to panic or to inflate for ever.
    let input = || ImageInput::bytes(data.to_vec());
    let judged = EditRequest::builder("A hat", [input()]).mask(input()).build();
    if let Err(error) = judged {
        assert!(!error.violations().is_empty(), "a refusal names what it refuses: {error}");
    }
}
