//! The judgement of an edit's files.

use std::io::Cursor;

use gptimage_core::ImageFormat;
use gptimage_core::rules::GPT_IMAGE_2;
use image::ImageReader;

use super::form::{FilePart, Form};
use crate::fault::Issue;

/// Judges the images and the mask; what is wrong goes to the form's issues.
pub(crate) fn judge(form: &mut Form) {
    let rules = &GPT_IMAGE_2;
    let mut issues = Vec::new();
    if form.images.is_empty() {
        issues.push(Issue::new("invalid_type", "image", "Required."));
    }
    if form.images.len() > rules.images_max {
        let message = format!("Too many: {} images, expected at most {}.", form.images.len(), rules.images_max);
        issues.push(Issue::new("too_big", "image", message));
    }
    for (index, image) in form.images.iter().enumerate() {
        if image.len == 0 {
            issues.push(Issue::at("too_small", "image", index, "The file is empty."));
        } else if ImageFormat::sniff(&image.bytes).is_none() {
            issues.push(Issue::at("invalid_value", "image", index, "The file is not a PNG, JPEG or WebP."));
        }
        if image.len > rules.image_max_bytes {
            let message = format!("Too large: {} bytes, expected at most {}.", image.len, rules.image_max_bytes);
            issues.push(Issue::at("too_big", "image", index, message));
        }
    }
    if form.masks.len() > 1 {
        issues.push(Issue::new("duplicate", "mask", "The field is there twice."));
    }
    if let Some(mask) = form.masks.first() {
        issues.extend(mask_issue(mask, form.images.first()));
    }
    form.issues.append(&mut issues);
}

fn mask_issue(mask: &FilePart, first: Option<&FilePart>) -> Option<Issue> {
    let issue = |code: &str, message: String| Some(Issue::new(code, "mask", message));
    if ImageFormat::sniff(&mask.bytes) != Some(ImageFormat::Png) {
        return issue("invalid_value", "The file is not a PNG.".to_owned());
    }
    if mask.len >= GPT_IMAGE_2.mask_below_bytes {
        let limit = GPT_IMAGE_2.mask_below_bytes;
        return issue("too_big", format!("Too large: {} bytes, expected less than {limit}.", mask.len));
    }
    let Some(size) = dimensions(mask) else { return issue("invalid_value", "The PNG is broken.".to_owned()) };
    match first.and_then(dimensions) {
        Some(first) if first != size => {
            let message = format!("{}x{} pixels, but the first image has {}x{}.", size.0, size.1, first.0, first.1);
            return issue("custom", message);
        }
        _ => {}
    }
    let reader = ImageReader::with_format(Cursor::new(mask.whole()?), image::ImageFormat::Png);
    match reader.decode() {
        Err(_) => issue("invalid_value", "The PNG is broken.".to_owned()),
        Ok(pixels) if !pixels.color().has_alpha() => issue("custom", "The mask has no alpha channel.".to_owned()),
        Ok(pixels) if pixels.to_rgba8().pixels().all(|pixel| pixel.0[3] == u8::MAX) => {
            issue("custom", "The mask is fully opaque: nothing would be edited.".to_owned())
        }
        Ok(_) => None,
    }
}

/// Width and height, from the first bytes.
fn dimensions(file: &FilePart) -> Option<(u32, u32)> {
    ImageReader::new(Cursor::new(&file.bytes)).with_guessed_format().ok()?.into_dimensions().ok()
}
