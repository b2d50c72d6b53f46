//! Encodes pixels in memory as PNG.

use bytes::Bytes;

use crate::violation::{InvalidRequest, Rule, Violation};

/// The samples of a pixel, 8 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PixelFormat {
    /// Brightness.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, alpha; alpha is not premultiplied.
    Rgba,
}

impl PixelFormat {
    /// Returns the number of samples of a pixel, which is its length in bytes.
    pub fn samples(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// Returns the format with this number of samples per pixel, if there is one.
    pub fn of_samples(samples: usize) -> Option<Self> {
        [Self::Gray, Self::Rgb, Self::Rgba].into_iter().find(|format| format.samples() == samples)
    }
}

/// Encodes pixels with fast compression, because the file is only sent once.
pub(crate) fn encode(
    param: &str,
    width: u32,
    height: u32,
    format: PixelFormat,
    pixels: &[u8],
) -> Result<Bytes, InvalidRequest> {
    let wanted = u64::from(width) * u64::from(height) * format.samples() as u64;
    if wanted == 0 || wanted != pixels.len() as u64 {
        let given = format!("{} bytes for {width}x{height} pixels", pixels.len());
        let message = match wanted {
            0 => format!("{width}x{height} pixels are no image; both sides need at least 1"),
            _ => format!("{given}: {wanted} are needed, {} a pixel", format.samples()),
        };
        return Err(InvalidRequest::from(Violation::new(param, Rule::Format, given, message)));
    }
    let mut encoded = Vec::new();
    let mut encoder = png::Encoder::new(&mut encoded, width, height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_color(match format {
        PixelFormat::Gray => png::ColorType::Grayscale,
        PixelFormat::Rgb => png::ColorType::Rgb,
        PixelFormat::Rgba => png::ColorType::Rgba,
    });
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(pixels)?;
        writer.finish()
    });
    match written {
        Ok(()) => Ok(encoded.into()),
        Err(error) => {
            let message = format!("cannot be encoded as PNG: {error}");
            let given = format!("{width}x{height} pixels");
            Err(InvalidRequest::from(Violation::new(param, Rule::Format, given, message)))
        }
    }
}
