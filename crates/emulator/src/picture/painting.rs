//! Draws and encodes the image for a request.

use bytes::Bytes;
use gptimage_model::ImageFormat;
use image::imageops::FilterType;
use image::{Rgba, RgbaImage};

use super::canvas::{Area, Canvas};
use super::encode::{EncodeError, encode};
use super::masking::{Region, cover};
use super::seed::Seed;
use super::{caption, photo, ribbon, scene, sticker};

/// All inputs that determine an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Painting<'a> {
    pub(crate) prompt: &'a str,
    /// Distinguishes the images of one request.
    pub(crate) variant: u32,
    pub(crate) size: (u32, u32),
    pub(crate) format: ImageFormat,
    /// In percent; 100 is the best quality.
    pub(crate) compression: u8,
    pub(crate) transparent: bool,
    pub(crate) quality: &'a str,
    /// The bytes of the input files; `None` for one that was not kept.
    pub(crate) inputs: &'a [Option<Bytes>],
    pub(crate) mask: Option<&'a Bytes>,
}

impl Painting<'_> {
    /// Returns a seed that is the same for equal images only.
    pub(crate) fn seed(&self) -> Seed {
        let (width, height) = self.size;
        let mut seed = Seed::new()
            .add(self.prompt.as_bytes())
            .add(&[width.to_le_bytes(), height.to_le_bytes(), self.variant.to_le_bytes()].concat())
            .add(self.format.mime().as_bytes())
            .add(self.quality.as_bytes())
            .add(&[self.compression, u8::from(self.transparent), u8::from(self.mask.is_some())]);
        for file in self.inputs.iter().map(Option::as_ref).chain([self.mask]) {
            seed = seed.add(file.map_or(&[], |bytes| bytes));
        }
        seed
    }

    /// Draws and encodes the image.
    pub(crate) fn paint(&self) -> Result<Bytes, EncodeError> {
        encode(&self.draw(), self.format, self.compression)
    }

    fn draw(&self) -> Canvas {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        if let Some(masked) = self.masked() {
            return masked;
        }
        let inputs: Vec<_> = self.inputs.iter().map(|input| photo::decode(input.as_ref())).collect();
        if self.transparent {
            let (inner_width, inner_height) = sticker::inner_size(width, height);
            return sticker::sticker(&self.scenery(inner_width, inner_height, &inputs), width, height);
        }
        self.scenery(width, height, &inputs)
    }

    /// Returns the first input with a new image where the mask is transparent. The other inputs are shown in it.
    fn masked(&self) -> Option<Canvas> {
        let (width, height) = self.size;
        let region = Region::of(&photo::decode(self.mask)?, width, height)?;
        let (first, others) = self.inputs.split_first()?;
        let base = match photo::decode(first.as_ref()) {
            Some(image) => cover(&image, width, height, FilterType::Triangle),
            None => RgbaImage::from_pixel(width, height, Rgba([176, 182, 192, 255])),
        };
        let others: Vec<_> = others.iter().map(|input| photo::decode(input.as_ref())).collect();
        let mut canvas = self.landscape(region.width, region.height, &others);
        // Caption and ribbon are placed where the mask shows them completely.
        let open = region.largest_open_area();
        caption::caption(&mut canvas, open, 0.6, self.prompt);
        ribbon::plate(&mut canvas, open);
        Some(region.merge(&base, &canvas))
    }

    fn scenery(&self, width: usize, height: usize, inputs: &[Option<RgbaImage>]) -> Canvas {
        let mut canvas = self.landscape(width, height, inputs);
        let whole = Area { left: 0.0, top: 0.0, right: width as f32, bottom: height as f32 };
        caption::caption(&mut canvas, whole, 0.34, self.prompt);
        ribbon::ribbon(&mut canvas);
        canvas
    }

    fn landscape(&self, width: usize, height: usize, inputs: &[Option<RgbaImage>]) -> Canvas {
        let mut canvas = Canvas::new(width, height);
        let mut random = self.seed().random();
        scene::landscape(&mut canvas, &mut random);
        if !inputs.is_empty() {
            photo::lay_out(&mut canvas, inputs, &mut random);
        }
        canvas
    }
}
