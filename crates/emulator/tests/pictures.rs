//! The pictures: asked size and format, transparency, masks, and the same bytes for the same request.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use gptimage_emulator::Emulator;
use image::{ImageFormat, RgbaImage};
use support::*;

fn decode(bytes: &[u8]) -> (ImageFormat, RgbaImage) {
    let format = image::guess_format(bytes).unwrap();
    (format, image::load_from_memory(bytes).unwrap().to_rgba8())
}

async fn generated(emulator: &Emulator, fields: &str) -> Vec<u8> {
    let body = format!(r#"{{"model":"{MODEL}","prompt":"A crown, \"golden\"","response_format":"b64_json"{fields}}}"#);
    picture(&generate(emulator, &body).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn size_and_format_are_as_asked() {
    let emulator = Emulator::builder().start().await.unwrap();
    for (fields, format, size) in [
        ("", ImageFormat::Png, (1024, 1024)),
        (r#","size":"1024x1536","output_format":"jpeg""#, ImageFormat::Jpeg, (1024, 1536)),
        (r#","size":"1536x1024","output_format":"webp""#, ImageFormat::WebP, (1536, 1024)),
    ] {
        let bytes = generated(&emulator, fields).await;
        let (found, pixels) = decode(&bytes);
        assert_eq!((found, pixels.dimensions()), (format, size));
        assert!(pixels.pixels().all(|pixel| pixel.0[3] == 255), "opaque");
        assert_eq!(generated(&emulator, fields).await, bytes, "drawn again, the same");
    }
    let other = Emulator::builder().start().await.unwrap();
    assert_eq!(generated(&other, "").await, generated(&emulator, "").await, "the same everywhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn compression_makes_jpeg_smaller() {
    let emulator = Emulator::builder().start().await.unwrap();
    let large = generated(&emulator, r#","output_format":"jpeg""#).await;
    let small = generated(&emulator, r#","output_format":"jpeg","output_compression":20"#).await;
    assert!(small.len() * 2 < large.len(), "{} {}", small.len(), large.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn transparent_means_transparent_around() {
    let emulator = Emulator::builder().start().await.unwrap();
    for fields in [r#","background":"transparent""#, r#","background":"transparent","output_format":"webp""#] {
        let (_, pixels) = decode(&generated(&emulator, fields).await);
        assert_eq!(pixels.get_pixel(0, 0).0[3], 0);
        assert_eq!(pixels.get_pixel(1023, 1023).0[3], 0);
        assert_eq!(pixels.get_pixel(512, 512).0[3], 255);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_pictures_differ() {
    let emulator = Emulator::builder().start().await.unwrap();
    let form = Form::edit().text("n", "2").file("image", "a.png", "image/png", &png(8, 8, |_, _| [9, 9, 9, 255]));
    let response = call(&emulator, &form.request(&emulator)).await;
    let json = response.json();
    assert_ne!(json["data"][0]["b64_json"], json["data"][1]["b64_json"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_shows_its_inputs() {
    let emulator = Emulator::builder().start().await.unwrap();
    let edit = async |colour: [u8; 4]| {
        let form = Form::edit().file("image", "a.png", "image/png", &png(64, 64, |_, _| colour));
        decode(&picture(&call(&emulator, &form.request(&emulator)).await)).1
    };
    let green = edit([0, 255, 0, 255]).await;
    let pure = green.pixels().filter(|pixel| pixel.0 == [0, 255, 0, 255]).count();
    assert!(pure > 1024 * 1024 / 10, "{pure} pixels of the input");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_masked_edit_changes_only_what_is_transparent() {
    let emulator = Emulator::builder().start().await.unwrap();
    let colour = |x: u32, y: u32| [(x / 4) as u8, (y / 4) as u8, ((x ^ y) & 0xff) as u8, 255];
    let open = |x: u32, y: u32| (300..700).contains(&x) && (200..500).contains(&y);
    let image = png(1024, 1024, colour);
    let mask = png(1024, 1024, |x, y| [0, 0, 0, if open(x, y) { 0 } else { 255 }]);
    let form = Form::edit().file("image", "a.png", "image/png", &image).file("mask", "m.png", "image/png", &mask);
    let (_, pixels) = decode(&picture(&call(&emulator, &form.request(&emulator)).await));
    let mut changed = 0;
    for (x, y, pixel) in pixels.enumerate_pixels() {
        if open(x, y) {
            changed += u32::from(pixel.0 != colour(x, y));
        } else {
            assert_eq!(pixel.0, colour(x, y), "at {x}, {y}");
        }
    }
    assert!(changed > 110_000, "{changed} of 120000 pixels");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_inputs_are_drawn_too() {
    let emulator = Emulator::builder().start().await.unwrap();
    // One pixel of mask, a sliver of an image, a broken file, and words that no font has.
    let image = png(3, 2000, |_, y| [y as u8, 0, 0, 128]);
    let mask = png(3, 2000, |x, y| [0, 0, 0, if (x, y) == (1, 1000) { 0 } else { 255 }]);
    let masked = Form::edit().file("image", "a.png", "image/png", &image).file("mask", "m.png", "image/png", &mask);
    // Whole by their structure, and nothing can be inflated.
    let mut broken = image.clone();
    let end = broken.len() - 16;
    broken[45..end].fill(7);
    let large = [broken.as_slice(), &vec![7; 9 << 20]].concat();
    let words = "\u{4e2d}\u{6587} ".to_owned() + &"\u{1f600}".repeat(5000);
    let form = Form::new()
        .text("model", MODEL)
        .text("prompt", &words)
        .text("response_format", "b64_json")
        .file("image[]", "a.png", "image/png", &image)
        .file("image[]", "b.png", "image/png", &broken)
        .file("image[]", "c.png", "image/png", &large);
    for form in [masked, form] {
        let (_, pixels) = decode(&picture(&call(&emulator, &form.request(&emulator)).await));
        assert_eq!(pixels.dimensions(), (1024, 1024));
    }
}
