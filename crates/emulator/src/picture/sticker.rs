//! Images with a transparent background: drawn like a cut-out sticker.

use super::canvas::{Area, Canvas, blend, byte};

/// Share of the canvas that stays transparent on each side.
const INSET: f32 = 0.06;

/// Returns the size of the image that fits onto a canvas of this size.
pub(crate) fn inner_size(width: usize, height: usize) -> (usize, usize) {
    let inset = inset(width, height);
    (width.saturating_sub(2 * inset).max(1), height.saturating_sub(2 * inset).max(1))
}

fn inset(width: usize, height: usize) -> usize {
    (width.min(height) as f32 * INSET) as usize
}

/// Cuts out an image with rounded corners and a white border.
pub(crate) fn sticker(picture: &Canvas, width: usize, height: usize) -> Canvas {
    let mut canvas = Canvas::new(width, height);
    let inset = inset(width, height);
    let outline = Area { left: 0.0, top: 0.0, right: picture.width as f32, bottom: picture.height as f32 };
    let side = picture.short_side();
    let (radius, edge) = (side * 0.16, side * 0.014);
    let rows = canvas.rows().skip(inset).take(picture.height);
    for ((_, row), source) in rows.zip(picture.pixels.chunks_exact(picture.width.max(1)).enumerate()) {
        let (y, source) = (source.0 as f32 + 0.5, source.1);
        for (x, (pixel, source)) in row.iter_mut().skip(inset).zip(source).enumerate() {
            let distance = outline.distance(x as f32 + 0.5, y, radius);
            let alpha = byte((0.5 - distance).clamp(0.0, 1.0) * 255.0);
            let [red, green, blue, _] = *source;
            *pixel = [red, green, blue, u8::MAX];
            blend(pixel, [255.0; 3], (distance + edge + 0.5).clamp(0.0, 1.0));
            pixel[3] = alpha;
        }
    }
    canvas
}
