//! What these tests share.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared by several test programs, each using a part of it")]

mod http;

pub use http::*;

/// A PNG with pixels from a function of their place.
pub fn png(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
    let image = image::RgbaImage::from_fn(width, height, |x, y| image::Rgba(pixel(x, y)));
    let mut file = std::io::Cursor::new(Vec::new());
    image.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

/// The first picture of an answer in base64.
pub fn picture(response: &Response) -> Vec<u8> {
    assert_eq!(response.status, 200, "{}", response.text());
    let json = response.json();
    base64_simd::STANDARD.decode_to_vec(json["data"][0]["b64_json"].as_str().unwrap()).unwrap()
}
