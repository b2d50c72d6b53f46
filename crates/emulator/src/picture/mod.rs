//! Images: drawn from the request alone, legible and clearly marked as emulated.

mod cache;
mod canvas;
mod caption;
mod encode;
mod lettering;
mod masking;
mod painting;
mod palette;
mod photo;
mod ribbon;
mod scene;
mod seed;
mod sticker;

pub(crate) use cache::PictureCache;
pub(crate) use painting::Painting;
