//! Input images, drawn as photo prints.

use std::io::Cursor;

use bytes::Bytes;
use image::imageops::FilterType;
use image::{ImageReader, RgbaImage};

use super::canvas::{Area, Canvas, Rgb, mix};
use super::seed::RandomNumbers;

const PAPER: Rgb = [252.0, 251.0, 247.0];
/// Shown for an input that was too large to keep.
const UNKNOWN: Rgb = [176.0, 182.0, 192.0];

/// Decodes an input; `None` if it was not kept or cannot be decoded.
pub(crate) fn decode(bytes: Option<&Bytes>) -> Option<RgbaImage> {
    let reader = ImageReader::new(Cursor::new(bytes?)).with_guessed_format().ok()?;
    Some(reader.decode().ok()?.into_rgba8())
}

/// Draws prints of the images in the upper part of the canvas.
pub(crate) fn lay_out(canvas: &mut Canvas, images: &[Option<RgbaImage>], random: &mut RandomNumbers) {
    let (width, height, side) = (canvas.width as f32, canvas.height as f32, canvas.short_side());
    let table = Area { left: width * 0.06, top: height * 0.07, right: width * 0.94, bottom: height * 0.64 };
    let count = images.len().max(1);
    let columns = ((count as f32 * table.width() / table.height()).sqrt().ceil() as usize).clamp(1, count);
    let rows = count.div_ceil(columns);
    let (cell_width, cell_height) = (table.width() / columns as f32, table.height() / rows as f32);
    for (index, image) in images.iter().enumerate() {
        let (row, column) = (index / columns, index % columns);
        // The last row may be shorter and is centred.
        let in_row = columns.min(count - row * columns);
        let indent = (columns - in_row) as f32 / 2.0;
        let place = Print {
            x: table.left + (column as f32 + 0.5 + indent) * cell_width,
            y: table.top + (row as f32 + 0.5) * cell_height,
            angle: random.between(0.02, 0.07) * if random.below(2) == 0 { 1.0 } else { -1.0 },
            border: (side * 0.012).min(cell_width * 0.05).max(2.0),
        };
        place.draw(canvas, image.as_ref(), cell_width * 0.82, cell_height * 0.84);
    }
}

/// The position of a print.
struct Print {
    x: f32,
    y: f32,
    /// In radians.
    angle: f32,
    /// Width of the paper's white border.
    border: f32,
}

impl Print {
    fn draw(&self, canvas: &mut Canvas, image: Option<&RgbaImage>, max_width: f32, max_height: f32) {
        let (source_width, source_height) =
            image.map_or((4.0, 3.0), |image| (image.width().max(1) as f32, image.height().max(1) as f32));
        let room = (max_width - 2.0 * self.border, max_height - 2.0 * self.border);
        let scale = (room.0 / source_width).min(room.1 / source_height);
        let (width, height) = ((source_width * scale).max(1.0), (source_height * scale).max(1.0));
        let fitted = image.map(|image| fit(image, width as u32, height as u32));
        let (sin, cos) = self.angle.sin_cos();
        let (half_width, half_height) = (width / 2.0 + self.border, height / 2.0 + self.border);
        let reach = half_width.hypot(half_height) + self.border * 2.0;
        let around = Area::around(self.x, self.y, reach, reach);
        let paper = Area::around(0.0, 0.0, half_width, half_height);
        let local = |x: f32, y: f32| {
            let (dx, dy) = (x - self.x, y - self.y);
            (dx * cos + dy * sin, dy * cos - dx * sin)
        };
        let shadow = self.border * 1.6;
        canvas.over(around, |x, y| {
            let (u, v) = local(x - self.border * 0.35, y - self.border * 0.7);
            let near = (1.0 - paper.distance(u, v, 0.0).max(0.0) / shadow).clamp(0.0, 1.0);
            ([0.0; 3], near * near * 0.38)
        });
        canvas.over(around, |x, y| {
            let (u, v) = local(x, y);
            let coverage = (0.5 - paper.distance(u, v, self.border * 0.25)).clamp(0.0, 1.0);
            if coverage == 0.0 {
                return (PAPER, 0.0);
            }
            let (px, py) = (u + width / 2.0, v + height / 2.0);
            let inside = (0.0..width).contains(&px) && (0.0..height).contains(&py);
            let colour = match &fitted {
                Some(image) if inside => sample(image, px, py),
                None if inside => UNKNOWN,
                _ => PAPER,
            };
            (colour, coverage)
        });
    }
}

fn fit(image: &RgbaImage, width: u32, height: u32) -> RgbaImage {
    if width < image.width() {
        image::imageops::thumbnail(image, width.max(1), height.max(1))
    } else {
        image::imageops::resize(image, width.max(1), height.max(1), FilterType::Triangle)
    }
}

/// Returns the interpolated colour at a point. Transparent parts show the white paper.
fn sample(image: &RgbaImage, x: f32, y: f32) -> Rgb {
    let (last_x, last_y) = (image.width().saturating_sub(1) as f32, image.height().saturating_sub(1) as f32);
    let (x, y) = ((x - 0.5).clamp(0.0, last_x), (y - 0.5).clamp(0.0, last_y));
    let at = |x: f32, y: f32| {
        let [red, green, blue, alpha] =
            image.get_pixel_checked(x.min(last_x) as u32, y.min(last_y) as u32).map_or([0; 4], |pixel| pixel.0);
        mix(PAPER, [f32::from(red), f32::from(green), f32::from(blue)], f32::from(alpha) / 255.0)
    };
    let (left, top) = (x.floor(), y.floor());
    let upper = mix(at(left, top), at(left + 1.0, top), x - left);
    let lower = mix(at(left, top + 1.0), at(left + 1.0, top + 1.0), x - left);
    mix(upper, lower, y - top)
}
