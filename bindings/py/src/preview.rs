//! Previews for notebooks.

use std::io::Cursor;

use ::image::imageops::{self, FilterType};
use ::image::{DynamicImage, ImageFormat, ImageReader, RgbaImage};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::image::Image;

/// Pixels between the images of a sheet.
const GAP: u32 = 8;

/// Shares of the requested side, in percent, that are tried until the PNG is small enough.
const SHARES: [u32; 5] = [100, 75, 50, 35, 25];

/// Renders all images that can be decoded into one PNG, in rows, each at most `side` pixels wide and high. Returns the
/// PNG with its width and height; `None` if no image can be decoded. The PNG has at most `max_bytes`, if possible.
/// `checkered` puts a gray checkerboard behind transparent areas.
#[pyfunction]
pub(crate) fn preview<'py>(
    py: Python<'py>,
    images: Vec<Py<Image>>,
    side: u32,
    columns: u32,
    max_bytes: usize,
    checkered: bool,
) -> PyResult<Option<(Bound<'py, PyBytes>, u32, u32)>> {
    let images: Vec<_> = images.iter().map(|image| image.get().core().clone()).collect();
    let made = py.detach(|| sheet(&images, side, columns, max_bytes, checkered));
    let made = made.map_err(|error| PyValueError::new_err(format!("no preview can be made: {error}")))?;
    Ok(made.map(|(png, width, height)| (PyBytes::new(py, &png), width, height)))
}

type Sheet = (Vec<u8>, u32, u32);

fn sheet(
    images: &[gptimage_core::Image],
    side: u32,
    columns: u32,
    max_bytes: usize,
    checkered: bool,
) -> Result<Option<Sheet>, ::image::ImageError> {
    let mut shown: Vec<_> = images.iter().filter_map(|image| decode(image, side)).collect();
    if shown.is_empty() {
        return Ok(None);
    }
    let mut made = None;
    for share in SHARES {
        let side = (side * share / 100).max(1);
        for image in &mut shown {
            *image = fit(image, side);
        }
        let mut canvas = lay_out(&shown, columns.max(1));
        if checkered {
            checker(&mut canvas);
        }
        let (width, height) = canvas.dimensions();
        let mut png = Vec::new();
        DynamicImage::from(canvas).write_to(&mut Cursor::new(&mut png), ImageFormat::Png)?;
        let small_enough = png.len() <= max_bytes;
        made = Some((png, width, height));
        if small_enough {
            break;
        }
    }
    Ok(made)
}

/// Puts a gray checkerboard behind transparent areas.
fn checker(canvas: &mut RgbaImage) {
    const SQUARE: u32 = 8;
    for (x, y, pixel) in canvas.enumerate_pixels_mut() {
        let gray = if (x / SQUARE + y / SQUARE).is_multiple_of(2) { 205 } else { 245 };
        let mut behind = ::image::Rgba([gray, gray, gray, 255]);
        ::image::Pixel::blend(&mut behind, pixel);
        *pixel = behind;
    }
}

/// Decodes an image; `None` if it cannot be read or decoded.
fn decode(image: &gptimage_core::Image, side: u32) -> Option<DynamicImage> {
    let bytes = image.read().ok()?;
    let decoded = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().ok()?.decode().ok()?;
    Some(fit(&decoded, side))
}

/// Shrinks an image to a square of this side.
fn fit(image: &DynamicImage, side: u32) -> DynamicImage {
    if image.width() <= side && image.height() <= side {
        image.clone()
    } else {
        image.resize(side, side, FilterType::Triangle)
    }
}

/// Arranges images in rows on a transparent background.
fn lay_out(images: &[DynamicImage], columns: u32) -> RgbaImage {
    let columns = columns.min(u32::try_from(images.len()).unwrap_or(columns));
    let (cell_width, cell_height) =
        images.iter().fold((1, 1), |(width, height), image| (image.width().max(width), image.height().max(height)));
    let rows = u32::try_from(images.len()).unwrap_or(1).div_ceil(columns);
    let span = |cells: u32, cell: u32| cells * cell + cells.saturating_sub(1) * GAP;
    let mut canvas = RgbaImage::new(span(columns, cell_width), span(rows, cell_height));
    for (index, image) in (0_u32..).zip(images) {
        let (column, row) = (index % columns, index / columns);
        let x = column * (cell_width + GAP) + (cell_width - image.width()) / 2;
        let y = row * (cell_height + GAP) + (cell_height - image.height()) / 2;
        imageops::replace(&mut canvas, &image.to_rgba8(), x.into(), y.into());
    }
    canvas
}
