//! Draws the prompt's words on a translucent panel.

use super::canvas::{Area, Canvas};
use super::lettering::{Line, text_width};

const INK: [f32; 3] = [255.0, 255.0, 255.0];
const PANEL: [f32; 3] = [12.0, 16.0, 34.0];
/// Distance between lines, in font pixels.
const LEADING: f32 = 11.5;
const ELLIPSIS: &str = "...";
/// Minimum size of letters, in screen pixels per font pixel.
const SMALLEST: f32 = 1.5;

/// Draws the text at the bottom of an area, as large as fits into `share` of the area's height.
pub(crate) fn caption(canvas: &mut Canvas, area: Area, share: f32, text: &str) {
    let (width, height) = (area.width(), area.height());
    let side = width.min(height);
    let margin = side * 0.045;
    let padding = side * 0.03;
    let room = width - 2.0 * (margin + padding);
    let tallest = height * share - 2.0 * padding;
    let mut scale = (side / 190.0).max(SMALLEST);
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() || room < 30.0 || tallest < LEADING {
        return;
    }
    let lines = loop {
        let lines = wrap(&words, room / scale);
        let fitting = (tallest / (LEADING * scale)).floor().max(1.0) as usize;
        if lines.len() <= fitting {
            break lines;
        }
        if scale <= SMALLEST {
            break shortened(lines, fitting, room / scale);
        }
        scale = (scale * 0.88).max(SMALLEST);
    };
    let panel_height = lines.len() as f32 * LEADING * scale - (LEADING - 8.0) * scale + 2.0 * padding;
    let bottom = area.bottom - margin;
    let panel = Area { left: area.left + margin, top: bottom - panel_height, right: area.right - margin, bottom };
    let radius = (side * 0.025).min(panel_height / 2.0);
    canvas.over(panel.grown(1.0), |x, y| (PANEL, (0.5 - panel.distance(x, y, radius)).clamp(0.0, 1.0) * 0.58));
    for (index, line) in lines.iter().map(|line| Line::new(line)).enumerate() {
        let left = area.left + (width - line.width * scale) / 2.0;
        let top = panel.top + padding + index as f32 * LEADING * scale;
        let around = Area { left, top, right: left + line.width * scale, bottom: top + 8.0 * scale }.grown(scale);
        canvas.over(around, |x, y| (INK, line.coverage((x - left) / scale, (y - top) / scale, scale)));
    }
}

/// Wraps words to lines no wider than `room`; a word that is wider is broken.
fn wrap(words: &[&str], room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in words {
        let joined = if line.is_empty() { (*word).to_owned() } else { format!("{line} {word}") };
        if text_width(&joined) <= room {
            line = joined;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for character in word.chars() {
            line.push(character);
            if text_width(&line) > room && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::take(&mut line));
                line.push(character);
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Keeps the first lines and adds an ellipsis.
fn shortened(mut lines: Vec<String>, count: usize, room: f32) -> Vec<String> {
    lines.truncate(count);
    if let Some(last) = lines.last_mut() {
        while !last.is_empty() && text_width(last) + text_width(ELLIPSIS) + 1.0 > room {
            last.pop();
        }
        last.push_str(ELLIPSIS);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_its_room() {
        let words = ["A", "T-Rex", "relaxing", "on", &"x".repeat(60), "beach"];
        let lines = wrap(&words, 80.0);
        assert!(lines.iter().all(|line| text_width(line) <= 80.0), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), words.concat());
        let short = shortened(lines, 2, 80.0);
        assert!(short.len() == 2 && short[1].ends_with("...") && text_width(&short[1]) <= 80.0, "{short:?}");
    }
}
