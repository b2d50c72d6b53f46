//! Valid images of a given size that cannot be compressed: noise in stored blocks.

use std::io::Write;

use png::{BitDepth, ColorType, Compression, Encoder};

use crate::failure::Failure;

/// Writes a PNG of `width` × `height` RGBA pixels, a little longer than four bytes per pixel.
pub(crate) fn write_noise(mut to: impl Write, width: u32, height: u32) -> Result<(), Failure> {
    let mut pixels = vec![0; width as usize * height as usize * 4];
    fastrand::Rng::with_seed(u64::from(height)).fill(&mut pixels);
    let mut encoder = Encoder::new(&mut to, width, height);
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::NoCompression);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(())
}

/// Returns the server's response image: 4 MiB of pixels, in the API's default size.
pub(crate) fn answered() -> Result<Vec<u8>, Failure> {
    let mut picture = Vec::new();
    write_noise(&mut picture, 1024, 1024)?;
    Ok(picture)
}
