//! Makes masks from boxes, arrays and alpha channels.

use std::fmt;

use bytes::Bytes;

use crate::request::{ImageInput, PixelFormat, encode};
use crate::violation::{InvalidRequest, Rule, Violation};

/// A mask, which marks where an image may be edited: a PNG with the image's dimensions that is transparent in those
/// areas.
///
/// ```
/// use gptimage_model::{EditRequest, ImageInput, Mask};
/// # let image = ImageInput::pixels(16, 16, gptimage_model::PixelFormat::Gray, &[7; 256])?;
/// let (width, height) = image.dimensions()?;
/// let upper_half = Mask::from_boxes(width, height, [[0, 0, width, height / 2]])?;
/// assert_eq!(upper_half.editable_share(), 0.5);
/// let request = EditRequest::builder("A blue sky", [image]).mask(&upper_half).build()?;
/// # let _ = request;
/// # Ok::<(), gptimage_model::InvalidRequest>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    png: Bytes,
    width: u32,
    height: u32,
    editable: u64,
}

/// Alpha value of the editable parts of a mask.
const EDITABLE: u8 = 0;
const KEPT: u8 = 255;

impl Mask {
    /// Makes a mask that is editable inside the boxes. A box is `[left, top, right, bottom]` in pixels from the upper
    /// left corner; right and bottom are exclusive. Boxes may overlap.
    ///
    /// # Errors
    /// [`InvalidRequest`] if a box is empty or exceeds the image, or if the image has no pixels.
    pub fn from_boxes(
        width: u32,
        height: u32,
        boxes: impl IntoIterator<Item = [u32; 4]>,
    ) -> Result<Self, InvalidRequest> {
        let mut alpha = vec![KEPT; pixels(width, height)?];
        let mut found = Vec::new();
        for (index, [left, top, right, bottom]) in boxes.into_iter().enumerate() {
            if left >= right || top >= bottom || right > width || bottom > height {
                let given = format!("[{left}, {top}, {right}, {bottom}]");
                let message = format!(
                    "box {index} is {given}; it must be [left, top, right, bottom] with left < right <= {width} and top < \
                     bottom <= {height}"
                );
                found.push(Violation::new("mask", Rule::MaskDimensions, given, message));
                continue;
            }
            let rows = alpha.chunks_exact_mut(width as usize).take(bottom as usize).skip(top as usize);
            for row in rows {
                row.iter_mut().take(right as usize).skip(left as usize).for_each(|alpha| *alpha = EDITABLE);
            }
        }
        InvalidRequest::unless_none(found)?;
        Self::from_alpha(width, height, &alpha)
    }

    /// Makes a mask that is editable where a byte is not 0. Rows run from top to bottom, with one byte per pixel.
    ///
    /// # Errors
    /// [`InvalidRequest`] if there are not exactly `width * height` bytes.
    pub fn from_editable(width: u32, height: u32, editable: &[u8]) -> Result<Self, InvalidRequest> {
        let alpha: Vec<_> = editable.iter().map(|editable| if *editable == 0 { KEPT } else { EDITABLE }).collect();
        Self::from_alpha(width, height, &alpha)
    }

    /// Makes a mask that is editable where alpha is 0. Rows run from top to bottom, with one byte per pixel.
    ///
    /// # Errors
    /// [`InvalidRequest`] if there are not exactly `width * height` bytes.
    pub fn from_alpha(width: u32, height: u32, alpha: &[u8]) -> Result<Self, InvalidRequest> {
        let rgba: Vec<u8> = alpha.iter().flat_map(|alpha| [0, 0, 0, *alpha]).collect();
        let png = encode("mask", width, height, PixelFormat::Rgba, &rgba)?;
        let editable = alpha.iter().filter(|alpha| **alpha == EDITABLE).count() as u64;
        Ok(Self { png, width, height, editable })
    }

    /// Returns the mask as the bytes of a PNG file.
    pub fn png(&self) -> &Bytes {
        &self.png
    }

    /// Returns width and height in pixels.
    pub fn dimensions(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Returns the fraction of the image that may be edited, from 0 to 1.
    #[allow(clippy::cast_precision_loss, reason = "a share needs no 53 bits")]
    pub fn editable_share(&self) -> f64 {
        self.editable as f64 / (u64::from(self.width) * u64::from(self.height)) as f64
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({}x{}, {:.1} % editable)", self.width, self.height, self.editable_share() * 100.0)
    }
}

impl From<&Mask> for ImageInput {
    fn from(mask: &Mask) -> Self {
        Self::bytes(mask.png.clone())
    }
}

impl From<Mask> for ImageInput {
    fn from(mask: Mask) -> Self {
        Self::from(&mask)
    }
}

/// Returns the number of pixels. Rejects dimensions that are larger than any image that the API takes.
fn pixels(width: u32, height: u32) -> Result<usize, InvalidRequest> {
    const MOST: u64 = 1 << 27;
    match u64::from(width) * u64::from(height) {
        pixels @ 1..=MOST => Ok(usize::try_from(pixels).unwrap_or(usize::MAX)),
        _ => {
            let given = format!("{width}x{height}");
            let message = format!("{given} pixels are no size of a mask; use the image's");
            Err(InvalidRequest::from(Violation::new("mask", Rule::MaskDimensions, given, message)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mask;
    use crate::request::{EditRequest, ImageInput, PixelFormat};

    fn image(side: u32) -> ImageInput {
        ImageInput::pixels(side, side, PixelFormat::Gray, &vec![9; (side * side) as usize]).unwrap()
    }

    #[test]
    fn what_is_made_passes_the_rules() {
        for mask in [
            Mask::from_boxes(8, 8, [[0, 0, 8, 4], [0, 2, 8, 4]]).unwrap(),
            Mask::from_editable(8, 8, &[[1; 32], [0; 32]].concat()).unwrap(),
            Mask::from_alpha(8, 8, &[[0; 32], [255; 32]].concat()).unwrap(),
        ] {
            assert_eq!((mask.dimensions(), mask.editable_share()), ((8, 8), 0.5));
            EditRequest::builder("A hat", [image(8)]).mask(mask).build().unwrap();
        }
    }

    #[test]
    fn a_mask_that_changes_nothing_is_refused_by_the_rules() {
        let mask = Mask::from_boxes(8, 8, []).unwrap();
        assert_eq!(mask.editable_share(), 0.0);
        let error = EditRequest::builder("A hat", [image(8)]).mask(mask).build().unwrap_err();
        assert_eq!(error.violations()[0].rule().as_str(), "mask_transparency");
    }

    #[test]
    fn boxes_are_named_that_do_not_fit() {
        let error = Mask::from_boxes(8, 8, [[0, 0, 8, 8], [0, 0, 9, 8], [3, 3, 3, 4]]).unwrap_err();
        let messages: Vec<_> = error.violations().iter().map(|violation| violation.message().to_owned()).collect();
        assert_eq!(messages.len(), 2);
        assert!(messages[0].starts_with("box 1 is [0, 0, 9, 8]") && messages[1].starts_with("box 2"), "{messages:?}");
        assert!(Mask::from_boxes(0, 8, []).is_err() && Mask::from_boxes(u32::MAX, u32::MAX, []).is_err());
        assert!(Mask::from_editable(8, 8, &[0; 63]).is_err());
    }
}
