//! Encodes pixels as a file.

use bytes::Bytes;
use gptimage_model::ImageFormat;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;

use super::canvas::{Canvas, byte};

/// An image could not be encoded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error("PNG: {0}")]
    Png(#[from] png::EncodingError),
    #[error("{0}")]
    Other(#[from] image::ImageError),
    #[error("there is no encoder for {0}")]
    Unknown(ImageFormat),
}

/// Encodes an image. `compression` is JPEG's quality in percent; PNG and, here, WebP are lossless.
pub(crate) fn encode(canvas: &Canvas, format: ImageFormat, compression: u8) -> Result<Bytes, EncodeError> {
    let (width, height) = (canvas.width as u32, canvas.height as u32);
    let mut file = Vec::new();
    let alpha = canvas.has_alpha() && format != ImageFormat::Jpeg;
    let samples: Vec<u8> =
        if alpha { canvas.pixels.as_flattened().to_vec() } else { canvas.pixels.iter().flat_map(on_white).collect() };
    let color = if alpha { ExtendedColorType::Rgba8 } else { ExtendedColorType::Rgb8 };
    match format {
        ImageFormat::Png => {
            let mut encoder = png::Encoder::new(&mut file, width, height);
            encoder.set_color(if alpha { png::ColorType::Rgba } else { png::ColorType::Rgb });
            encoder.set_compression(png::Compression::Fast);
            // The images are smooth: one good filter is faster than trying all of them on every row.
            encoder.set_filter(png::Filter::Up);
            let mut writer = encoder.write_header()?;
            writer.write_image_data(&samples)?;
            writer.finish()?;
        }
        ImageFormat::Jpeg => {
            JpegEncoder::new_with_quality(&mut file, compression.clamp(1, 100))
                .encode(&samples, width, height, color)?;
        }
        ImageFormat::Webp => WebPEncoder::new_lossless(&mut file).encode(&samples, width, height, color)?,
        other => return Err(EncodeError::Unknown(other)),
    }
    Ok(Bytes::from(file))
}

fn on_white([red, green, blue, alpha]: &[u8; 4]) -> [u8; 3] {
    if *alpha == u8::MAX {
        return [*red, *green, *blue];
    }
    let share = f32::from(*alpha) / 255.0;
    [*red, *green, *blue].map(|channel| byte(f32::from(channel) * share + 255.0 * (1.0 - share)))
}
