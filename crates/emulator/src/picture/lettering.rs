//! Text in an 8 × 8 font, enlarged with smoothed edges and proportional spacing.

use font8x8::UnicodeFonts;

/// Returns a character's bitmap, one byte per row, from the first font that has it.
fn bits(character: char) -> [u8; 8] {
    let known = font8x8::BASIC_FONTS
        .get(character)
        .or_else(|| font8x8::LATIN_FONTS.get(character))
        .or_else(|| font8x8::GREEK_FONTS.get(character))
        .or_else(|| font8x8::HIRAGANA_FONTS.get(character));
    // Typographic characters that are common in prompts.
    let plain = match character {
        '\u{2018}'..='\u{201b}' => Some('\''),
        '\u{201c}'..='\u{201f}' => Some('"'),
        '\u{2010}'..='\u{2015}' => Some('-'),
        '\u{2026}' => Some('.'),
        _ => None,
    };
    let known = plain.and_then(|plain| font8x8::BASIC_FONTS.get(plain)).or(known);
    // A box for characters that no font has.
    known.unwrap_or([0x7f, 0x41, 0x41, 0x41, 0x41, 0x41, 0x7f, 0x00])
}

/// A character's shape without its empty columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glyph {
    rows: [u8; 8],
    first_column: u8,
    /// In font pixels, without the gap to the next letter.
    width: u8,
}

/// Gap between two letters, in font pixels.
const GAP: f32 = 1.3;
const SPACE: u8 = 3;

impl Glyph {
    pub(crate) fn of(character: char) -> Self {
        let rows = bits(character);
        let columns = rows.iter().fold(0, |columns, row| columns | row);
        if columns == 0 {
            return Self { rows, first_column: 0, width: SPACE };
        }
        let first_column = columns.trailing_zeros() as u8;
        let width = 8 - columns.leading_zeros() as u8 - first_column;
        Self { rows, first_column, width }
    }

    /// Distance to the next letter, in font pixels.
    pub(crate) fn advance(&self) -> f32 {
        f32::from(self.width) + GAP
    }

    fn ink(&self, column: i32, row: i32) -> f32 {
        let inside = (0..i32::from(self.width)).contains(&column) && (0..8).contains(&row);
        if !inside {
            return 0.0;
        }
        let bits = self.rows.get(row as usize).copied().unwrap_or(0);
        f32::from((bits >> (column as u32 + u32::from(self.first_column))) & 1)
    }

    /// Returns how much ink covers a point, 0 to 1. `u` and `v` are in font pixels; `scale` is screen pixels per font
    /// pixel.
    pub(crate) fn coverage(&self, u: f32, v: f32, scale: f32) -> f32 {
        let (left, top) = ((u - 0.5).floor(), (v - 0.5).floor());
        let (right_share, bottom_share) = (u - 0.5 - left, v - 0.5 - top);
        let (column, row) = (left as i32, top as i32);
        let upper = self.ink(column, row) * (1.0 - right_share) + self.ink(column + 1, row) * right_share;
        let lower = self.ink(column, row + 1) * (1.0 - right_share) + self.ink(column + 1, row + 1) * right_share;
        let ink = upper * (1.0 - bottom_share) + lower * bottom_share;
        // Slightly below one half, so that single strokes keep their weight.
        ((ink - 0.42) * scale.max(1.0) + 0.5).clamp(0.0, 1.0)
    }
}

/// A line of text, measured.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Glyphs and their start positions, in font pixels.
    glyphs: Vec<(f32, Glyph)>,
    pub(crate) width: f32,
}

impl Line {
    pub(crate) fn new(text: &str) -> Self {
        let mut at = 0.0;
        let glyphs = text
            .chars()
            .map(|character| {
                let glyph = Glyph::of(character);
                let start = at;
                at += glyph.advance();
                (start, glyph)
            })
            .collect();
        Self { glyphs, width: (at - GAP).max(0.0) }
    }

    /// Like [`Glyph::coverage`], for the whole line.
    pub(crate) fn coverage(&self, u: f32, v: f32, scale: f32) -> f32 {
        if !(-1.0..9.0).contains(&v) {
            return 0.0;
        }
        // Checks the glyph at the point, and the one before it, whose smoothed edge may extend into this one.
        let after = self.glyphs.partition_point(|(start, _)| *start <= u + 0.5);
        let near = self.glyphs.get(after.saturating_sub(2)..after).unwrap_or_default();
        near.iter().map(|(start, glyph)| glyph.coverage(u - start, v, scale)).fold(0.0, f32::max)
    }
}

/// Returns a text's width in font pixels.
pub(crate) fn text_width(text: &str) -> f32 {
    let sum: f32 = text.chars().map(|character| Glyph::of(character).advance()).sum();
    (sum - GAP).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_letters_take_less_room() {
        assert!(text_width("i") < text_width("W"));
        assert!((Line::new("Crown").width - text_width("Crown")).abs() < 0.01);
    }

    #[test]
    fn letters_have_ink_and_spaces_have_none() {
        let ink = |text: &str| {
            let line = Line::new(text);
            (0..80)
                .flat_map(|u| (0..80).map(move |v| (u as f32 / 10.0, v as f32 / 10.0)))
                .any(|(u, v)| line.coverage(u, v, 10.0) > 0.9)
        };
        assert!(ink("A") && ink("é") && ink("\u{4e00}"));
        assert!(!ink(" "));
    }
}
