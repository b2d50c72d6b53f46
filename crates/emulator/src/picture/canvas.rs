//! Pixels and blending of colours.

/// Red, green and blue from 0 to 255.
pub(crate) type Rgb = [f32; 3];

/// An image being drawn: straight (not premultiplied) RGBA.
#[derive(Debug, Clone)]
pub(crate) struct Canvas {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<[u8; 4]>,
}

impl Canvas {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0; 4]; width * height] }
    }

    pub(crate) fn rows(&mut self) -> impl Iterator<Item = (usize, &mut [[u8; 4]])> {
        self.pixels.chunks_exact_mut(self.width.max(1)).enumerate()
    }

    pub(crate) fn get(&self, x: usize, y: usize) -> Option<[u8; 4]> {
        if x < self.width { self.pixels.get(y * self.width + x).copied() } else { None }
    }

    /// Blends a colour over an area. `paint` returns the colour and its coverage, 0 to 1, at a pixel's centre.
    pub(crate) fn over(&mut self, area: Area, mut paint: impl FnMut(f32, f32) -> (Rgb, f32)) {
        let (left, right) = (area.left.max(0.0) as usize, (area.right.max(0.0).ceil() as usize).min(self.width));
        let (top, bottom) = (area.top.max(0.0) as usize, (area.bottom.max(0.0).ceil() as usize).min(self.height));
        let rows = self.pixels.chunks_exact_mut(self.width.max(1)).enumerate().take(bottom).skip(top);
        for (y, row) in rows {
            for (x, pixel) in row.iter_mut().enumerate().take(right).skip(left) {
                let (colour, coverage) = paint(x as f32 + 0.5, y as f32 + 0.5);
                if coverage > 0.0 {
                    blend(pixel, colour, coverage.min(1.0));
                }
            }
        }
    }

    pub(crate) fn has_alpha(&self) -> bool {
        self.pixels.iter().any(|[.., alpha]| *alpha < u8::MAX)
    }

    /// Returns the shorter side, the unit of all sizes.
    pub(crate) fn short_side(&self) -> f32 {
        self.width.min(self.height) as f32
    }
}

/// A part of a canvas, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) right: f32,
    pub(crate) bottom: f32,
}

impl Area {
    pub(crate) fn around(x: f32, y: f32, half_width: f32, half_height: f32) -> Self {
        Self { left: x - half_width, top: y - half_height, right: x + half_width, bottom: y + half_height }
    }

    pub(crate) fn width(&self) -> f32 {
        self.right - self.left
    }

    pub(crate) fn height(&self) -> f32 {
        self.bottom - self.top
    }

    pub(crate) fn grown(self, by: f32) -> Self {
        Self { left: self.left - by, top: self.top - by, right: self.right + by, bottom: self.bottom + by }
    }

    /// Returns the signed distance of a point from the area's edge with rounded corners; negative inside.
    pub(crate) fn distance(&self, x: f32, y: f32, radius: f32) -> f32 {
        let (half_width, half_height) = (self.width() / 2.0, self.height() / 2.0);
        let dx = (x - (self.left + self.right) / 2.0).abs() - half_width + radius;
        let dy = (y - (self.top + self.bottom) / 2.0).abs() - half_height + radius;
        dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
    }
}

/// Blends a colour over a pixel.
pub(crate) fn blend(pixel: &mut [u8; 4], colour: Rgb, coverage: f32) {
    let below = f32::from(pixel[3]) / 255.0;
    let alpha = coverage + below * (1.0 - coverage);
    let share = if alpha > 0.0 { coverage / alpha } else { 0.0 };
    for (channel, colour) in pixel.iter_mut().zip(colour) {
        *channel = byte(f32::from(*channel) * (1.0 - share) + colour * share);
    }
    pixel[3] = byte(alpha * 255.0);
}

pub(crate) fn byte(value: f32) -> u8 {
    // The cast saturates.
    (value + 0.5) as u8
}

pub(crate) fn mix(from: Rgb, to: Rgb, share: f32) -> Rgb {
    let mut mixed = from;
    for (channel, to) in mixed.iter_mut().zip(to) {
        *channel += (to - *channel) * share;
    }
    mixed
}

/// Returns 0 below `from`, 1 above `to` and a smooth value between.
pub(crate) fn smooth_step(from: f32, to: f32, value: f32) -> f32 {
    let share = ((value - from) / (to - from)).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}
