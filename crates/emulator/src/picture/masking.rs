//! Masked edits: only the part where the mask is transparent changes.

use image::imageops::{FilterType, crop_imm, resize};
use image::{Rgba, RgbaImage};

use super::canvas::{Area, Canvas};

/// The part of an image that may change.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// The mask, scaled to the image's size.
    mask: RgbaImage,
}

/// Scales and crops an image to fill a size, cutting equally on both sides. An image of that size is unchanged.
pub(crate) fn cover(image: &RgbaImage, width: u32, height: u32, filter: FilterType) -> RgbaImage {
    if (image.width(), image.height()) == (width, height) {
        return image.clone();
    }
    let (wide, high) = (u64::from(image.width()), u64::from(image.height()));
    let (target_wide, target_high) = (u64::from(width), u64::from(height));
    let (crop_wide, crop_high) = if wide * target_high > high * target_wide {
        (high * target_wide / target_high.max(1), high)
    } else {
        (wide, wide * target_high / target_wide.max(1))
    };
    let side = |length: u64| u32::try_from(length.max(1)).unwrap_or(u32::MAX);
    let (x, y) = ((wide - crop_wide.min(wide)) / 2, (high - crop_high.min(high)) / 2);
    let part = crop_imm(image, x as u32, y as u32, side(crop_wide), side(crop_high)).to_image();
    resize(&part, width, height, filter)
}

impl Region {
    /// Finds the bounds of the transparent part; `None` if nothing is transparent.
    pub(crate) fn of(mask: &RgbaImage, width: u32, height: u32) -> Option<Self> {
        // Nearest-neighbour scaling keeps opaque pixels fully opaque.
        let mask = cover(mask, width, height, FilterType::Nearest);
        let open = || mask.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[3] < u8::MAX).map(|(x, y, _)| (x, y));
        let (left, right) = (open().map(|(x, _)| x).min()?, open().map(|(x, _)| x).max()?);
        let (top, bottom) = (open().map(|(_, y)| y).min()?, open().map(|(_, y)| y).max()?);
        Some(Self {
            left: left as usize,
            top: top as usize,
            width: (right - left + 1) as usize,
            height: (bottom - top + 1) as usize,
            mask,
        })
    }

    /// Returns the largest fully transparent rectangle, in the region's own coordinates.
    pub(crate) fn largest_open_area(&self) -> Area {
        // A coarse grid is precise enough to place text.
        let cell = (self.width.min(self.height) / 96).max(1);
        let columns = self.width / cell;
        let mut heights = vec![0_usize; columns];
        let mut best = (0, Area { left: 0.0, top: 0.0, right: self.width as f32, bottom: self.height as f32 });
        for row in 0..self.height / cell {
            for (column, height) in heights.iter_mut().enumerate() {
                *height = if self.is_open(column * cell, row * cell, cell) { *height + 1 } else { 0 };
            }
            let Some((from, to, height)) = largest_under(&heights) else { continue };
            // Text needs width, so tall narrow areas are rated lower.
            let worth = (to - from) * height.min(to - from);
            if worth > best.0 {
                let at = |cells: usize| (cells * cell) as f32;
                let area = Area { left: at(from), top: at(row + 1 - height), right: at(to), bottom: at(row + 1) };
                best = (worth, area);
            }
        }
        best.1
    }

    fn is_open(&self, x: usize, y: usize, cell: usize) -> bool {
        let open = |x: usize, y: usize| {
            let pixel = self.mask.get_pixel_checked((self.left + x) as u32, (self.top + y) as u32);
            pixel.is_some_and(|pixel| pixel.0[3] < 128)
        };
        (y..y + cell).all(|y| (x..x + cell).all(|x| open(x, y)))
    }

    /// Copies `change` into `base` where the mask is transparent.
    pub(crate) fn merge(&self, base: &RgbaImage, change: &Canvas) -> Canvas {
        let mut canvas = Canvas::new(base.width() as usize, base.height() as usize);
        let pixels = base.pixels().zip(self.mask.pixels()).enumerate();
        for (target, (index, (Rgba(kept), Rgba(mask)))) in canvas.pixels.iter_mut().zip(pixels) {
            let (x, y) = (index % base.width().max(1) as usize, index / base.width().max(1) as usize);
            let new = x.checked_sub(self.left).zip(y.checked_sub(self.top)).and_then(|(x, y)| change.get(x, y));
            let share = u32::from(u8::MAX - mask[3]);
            *target = match new {
                Some(new) if share > 0 => between(*kept, new, share),
                _ => *kept,
            };
        }
        canvas
    }
}

/// Finds the largest rectangle below a row of heights: its first column, the one after its last, and its height.
fn largest_under(heights: &[usize]) -> Option<(usize, usize, usize)> {
    let mut rising: Vec<(usize, usize)> = Vec::new();
    let mut best: Option<(usize, usize, usize)> = None;
    for (column, height) in heights.iter().copied().chain([0]).enumerate() {
        let mut from = column;
        while let Some((start, tall)) = rising.pop_if(|(_, tall)| *tall >= height) {
            from = start;
            if tall > 0 && best.is_none_or(|(from, to, height)| (column - start) * tall > (to - from) * height) {
                best = Some((start, column, tall));
            }
        }
        rising.push((from, height));
    }
    best
}

/// Interpolates between two colours, in integers, so that unchanged pixels are not rounded.
fn between(from: [u8; 4], to: [u8; 4], share: u32) -> [u8; 4] {
    let mut mixed = from;
    for (channel, to) in mixed.iter_mut().zip(to) {
        let sum = u32::from(*channel) * (255 - share) + u32::from(to) * share + 127;
        *channel = u8::try_from(sum / 255).unwrap_or(u8::MAX);
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_rectangle_is_found() {
        assert_eq!(largest_under(&[2, 1, 5, 6, 2, 3]), Some((2, 4, 5)));
        assert_eq!(largest_under(&[3, 3, 3]), Some((0, 3, 3)));
        assert_eq!(largest_under(&[0, 0]), None);
    }

    #[test]
    fn an_image_of_the_right_size_is_untouched() {
        let image = RgbaImage::from_fn(7, 5, |x, y| Rgba([x as u8, y as u8, 9, 200]));
        assert_eq!(cover(&image, 7, 5, FilterType::Triangle), image);
        assert_eq!(cover(&image, 14, 3, FilterType::Nearest).dimensions(), (14, 3));
    }
}
