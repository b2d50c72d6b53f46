//! The mark that identifies an image as emulated: a ribbon across a corner, or a plate where there is no corner.

use std::f32::consts::SQRT_2;

use super::canvas::{Area, Canvas, Rgb, mix};
use super::lettering::Line;
use super::palette::rgb;

const TEXT: &str = "EMULATED";
const BAND: u32 = 0xe5_3e55;
const INK: Rgb = [255.0; 3];

/// Draws the ribbon across the upper right corner.
pub(crate) fn ribbon(canvas: &mut Canvas) {
    let side = canvas.short_side();
    let right = canvas.width as f32;
    let (start, breadth) = (side * 0.165, side * 0.066);
    let line = Line::new(TEXT);
    let scale = breadth * 0.54 / 8.0;
    let reach = (start + breadth) * SQRT_2 + 2.0;
    let (band, edge) = (rgb(BAND, 0.0), rgb(BAND, 0.55));
    let area = Area { left: right - reach, top: 0.0, right, bottom: reach };
    canvas.over(area, |x, y| {
        // Coordinates along the ribbon, from its middle, and across it, from its upper edge.
        let along = ((x - right) + y) / SQRT_2;
        let across = ((right - x) + y) / SQRT_2 - start;
        let inside = (across.min(breadth - across) + 0.5).clamp(0.0, 1.0);
        if inside == 0.0 {
            return (band, 0.0);
        }
        let (u, v) = (along / scale + line.width / 2.0, (across - breadth * 0.25) / scale);
        let seam = (across.min(breadth - across) - breadth * 0.09).abs() < breadth * 0.02;
        let text = line.coverage(u, v, scale);
        let colour = if seam { edge } else { mix(band, INK, text) };
        (colour, inside * 0.94)
    });
}

/// Draws a plate at the top of an area.
pub(crate) fn plate(canvas: &mut Canvas, area: Area) {
    let side = area.width().min(area.height());
    let line = Line::new(TEXT);
    let scale = (side * 0.05 / 8.0).max(area.width() * 0.5 / line.width / 2.0);
    let (half_width, half_height) = (line.width * scale / 2.0 + scale * 4.0, scale * 7.0);
    let (x, y) = ((area.left + area.right) / 2.0, area.top + half_height + scale * 3.0);
    let plate = Area::around(x, y, half_width, half_height);
    let (left, top) = (x - line.width * scale / 2.0, y - scale * 3.6);
    let band = rgb(BAND, 0.0);
    canvas.over(plate.grown(1.0), |x, y| {
        let text = line.coverage((x - left) / scale, (y - top) / scale, scale);
        (mix(band, INK, text), (0.5 - plate.distance(x, y, scale * 3.0)).clamp(0.0, 1.0) * 0.94)
    });
}
