//! Draws a landscape below a sky.

use std::f32::consts::TAU;

use super::canvas::{Area, Canvas, Rgb, blend, byte, mix, smooth_step};
use super::palette::Palette;
use super::seed::RandomNumbers;

const HILLS: usize = 5;
/// Index of the hill that trees grow on.
const WOODED: usize = 3;

/// Fills a canvas with a landscape.
pub(crate) fn landscape(canvas: &mut Canvas, random: &mut RandomNumbers) {
    let palette = Palette::pick(random);
    sky(canvas, &palette, random);
    clouds(canvas, &palette, random);
    birds(canvas, &palette, random);
    hills(canvas, &palette, random);
}

fn sky(canvas: &mut Canvas, palette: &Palette, random: &mut RandomNumbers) {
    let (width, height, side) = (canvas.width as f32, canvas.height as f32, canvas.short_side());
    let [zenith, middle, horizon] = palette.sky;
    let (light_x, light_y) = (width * random.between(0.2, 0.62), height * random.between(0.2, 0.42));
    let radius = side * random.between(0.055, 0.09);
    let reach = side * 0.55;
    for (y, row) in canvas.rows() {
        let share = y as f32 / (height * 0.78);
        let base = if share < 0.5 {
            mix(zenith, middle, smooth_step(0.0, 0.5, share))
        } else {
            mix(middle, horizon, smooth_step(0.5, 1.0, share))
        };
        let dy = y as f32 + 0.5 - light_y;
        for (x, pixel) in row.iter_mut().enumerate() {
            let distance = (x as f32 + 0.5 - light_x).hypot(dy) - radius;
            let near = (1.0 - distance / reach).clamp(0.0, 1.0);
            let glow = near * near * near * 0.6;
            let disc = (0.5 - distance).clamp(0.0, 1.0);
            let colour = mix(base, palette.light, glow.max(disc));
            *pixel = [byte(colour[0]), byte(colour[1]), byte(colour[2]), u8::MAX];
        }
    }
    if palette.stars {
        for _ in 0..140 {
            let (x, y) = (width * random.between(0.0, 1.0), height * random.between(0.0, 0.6));
            let (radius, shine) = (side * random.between(0.0008, 0.0022), random.between(0.3, 0.95));
            canvas.over(Area::around(x, y, radius + 1.0, radius + 1.0), |px, py| {
                (palette.light, (radius + 0.5 - (px - x).hypot(py - y)).clamp(0.0, 1.0) * shine)
            });
        }
    }
}

/// Draws clouds: each is a row of soft circles on a flat base.
fn clouds(canvas: &mut Canvas, palette: &Palette, random: &mut RandomNumbers) {
    let (width, height, side) = (canvas.width as f32, canvas.height as f32, canvas.short_side());
    let colour = mix(palette.sky[2], [255.0; 3], if palette.stars { 0.1 } else { 0.7 });
    let density = if palette.stars { 0.28 } else { 0.75 };
    for _ in 0..3 + random.below(3) {
        let (x, y) = (width * random.between(0.02, 0.98), height * random.between(0.08, 0.42));
        let size = side * random.between(0.06, 0.13);
        let lumps: Vec<(f32, f32, f32)> = (-3_i8..=3)
            .map(|place| {
                let away = f32::from(place.abs());
                let radius = size * (1.0 - away / 5.5) * random.between(0.62, 0.82);
                // Circles are smaller, and therefore closer together, towards the ends.
                (x + f32::from(place) * size * (0.4 - 0.03 * away), y - radius * 0.35, radius)
            })
            .collect();
        let area = Area { left: x - size * 2.2, top: y - size * 1.3, right: x + size * 2.2, bottom: y + size * 0.4 };
        canvas.over(area, |px, py| {
            let cover = lumps.iter().map(|(x, y, radius)| {
                let distance = (px - x).hypot(py - y) / radius;
                1.0 - smooth_step(0.55, 1.0, distance)
            });
            let cover = 1.0 - cover.fold(1.0, |clear, cover| clear * (1.0 - cover));
            let base = 1.0 - smooth_step(y, y + size * 0.3, py);
            (colour, cover * base * density)
        });
    }
}

fn birds(canvas: &mut Canvas, palette: &Palette, random: &mut RandomNumbers) {
    if palette.stars {
        return;
    }
    let (width, height, side) = (canvas.width as f32, canvas.height as f32, canvas.short_side());
    let (flock_x, flock_y) = (width * random.between(0.15, 0.6), height * random.between(0.14, 0.3));
    let colour = mix(palette.hills[1], palette.sky[1], 0.25);
    for _ in 0..3 + random.below(4) {
        let (x, y) = (flock_x + side * random.between(-0.12, 0.12), flock_y + side * random.between(-0.05, 0.05));
        let (span, stroke) = (side * random.between(0.012, 0.022), side * 0.0018 + 0.4);
        canvas.over(Area::around(x, y, span + 2.0, span + 2.0), |px, py| {
            // Two arcs that meet in the middle.
            let along = ((px - x) / span).abs();
            let arc = y - span * 0.45 * (along * std::f32::consts::PI * 0.8).sin();
            let fade = 1.0 - smooth_step(0.85, 1.0, along);
            (colour, (stroke + 0.5 - (py - arc).abs()).clamp(0.0, 1.0) * fade)
        });
    }
}

fn hills(canvas: &mut Canvas, palette: &Palette, random: &mut RandomNumbers) {
    let (width, height) = (canvas.width, canvas.height as f32);
    for layer in 0..HILLS {
        let depth = layer as f32 / (HILLS - 1) as f32;
        let base = height * (0.56 + 0.30 * depth);
        let ground = ridge(width, base, height * (0.075 - 0.03 * depth), random);
        let outline = if layer == WOODED { with_trees(&ground, canvas.short_side(), random) } else { ground.clone() };
        let crest = mix(palette.hills[0], palette.hills[1], depth.powf(0.85));
        let foot = mix(crest, palette.sky[2], 0.34 * (1.0 - depth) + 0.06);
        let fade = height * 0.26;
        fill_below(canvas, &outline, &ground, |depth| mix(crest, foot, (depth / fade).clamp(0.0, 1.0)));
    }
}

/// Returns the heights of a ridge for each column.
fn ridge(width: usize, base: f32, amplitude: f32, random: &mut RandomNumbers) -> Vec<f32> {
    let waves: Vec<(f32, f32, f32)> = [(1.3, 1.0), (2.9, 0.45), (6.1, 0.2), (14.3, 0.07)]
        .into_iter()
        .map(|(waves, share)| (waves * random.between(0.7, 1.3), random.between(0.0, TAU), share))
        .collect();
    (0..width)
        .map(|x| {
            let at = x as f32 / width.max(1) as f32 * TAU;
            let sum: f32 = waves.iter().map(|(waves, phase, share)| (at * waves / 2.0 + phase).sin() * share).sum();
            base - amplitude * sum
        })
        .collect()
}

/// Adds conifers to a ridge.
fn with_trees(ground: &[f32], side: f32, random: &mut RandomNumbers) -> Vec<f32> {
    let width = ground.len() as f32;
    let mut outline = ground.to_vec();
    for _ in 0..(width / side * 34.0) as usize {
        let tall = side * random.between(0.025, 0.075);
        let half = tall * random.between(0.17, 0.24);
        let centre = width * random.between(0.0, 1.0);
        let Some(foot) = ground.get(centre as usize).copied() else { continue };
        let (left, right) = ((centre - half).max(0.0) as usize, (centre + half).ceil() as usize);
        for (x, top) in outline.iter_mut().enumerate().take(right).skip(left) {
            let away = ((x as f32 - centre) / half).abs().min(1.0);
            // Boughs: a slope with steps.
            let bough = (away * 5.0).fract() * 0.09;
            *top = top.min(foot - tall * (1.0 - away - bough).max(0.0));
        }
    }
    outline
}

/// Fills the area below an outline with a smoothed edge. The colour fades with the depth below the ground.
fn fill_below(canvas: &mut Canvas, outline: &[f32], ground: &[f32], colour: impl Fn(f32) -> Rgb) {
    let before = outline.first().into_iter().chain(outline);
    let after = outline.iter().skip(1).chain(outline.last());
    // Width of the smoothed edge: one pixel, measured across the slope.
    let blur: Vec<f32> =
        before.zip(after).map(|(before, after)| ((after - before) / 2.0).hypot(1.0).min(6.0)).collect();
    let top = outline.iter().copied().fold(f32::INFINITY, f32::min) - 7.0;
    for (y, row) in canvas.rows().skip(top.max(0.0) as usize) {
        let y = y as f32 + 0.5;
        let columns = outline.iter().zip(ground).zip(&blur);
        for (pixel, ((outline, ground), blur)) in row.iter_mut().zip(columns) {
            let coverage = ((y - outline) / blur + 0.5).clamp(0.0, 1.0);
            if coverage > 0.0 {
                blend(pixel, colour(y - ground), coverage);
            }
        }
    }
}
