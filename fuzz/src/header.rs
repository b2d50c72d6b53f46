//! Headers of images: formats are told apart by their first bytes, and dimensions and alpha are read without trusting
//! them.

use gptimage_core::{EditRequest, Image, ImageFormat, ImageInput};

/// Tests the bytes as an image or its beginning.
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
    // Validated as an input and as a mask: no bytes may cause a panic or endless inflating.
    let input = || ImageInput::bytes(data.to_vec());
    let judged = EditRequest::builder("A hat", [input()]).mask(input()).build();
    if let Err(error) = judged {
        assert!(!error.violations().is_empty(), "a refusal names what it refuses: {error}");
    }
}
