//! A cache of recently drawn images: tests ask for the same ones again and again.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::Bytes;

use super::encode::EncodeError;
use super::painting::Painting;
use crate::sync::lock;

const MAX_PICTURES: usize = 32;
const MAX_BYTES: usize = 64 << 20;

/// Images by their seeds, the most recently used last.
#[derive(Debug, Default)]
pub(crate) struct PictureCache {
    pictures: Mutex<VecDeque<(u64, Bytes)>>,
}

impl PictureCache {
    /// Returns the image from the cache, or draws it.
    pub(crate) fn paint(&self, painting: &Painting<'_>) -> Result<Bytes, EncodeError> {
        let seed = painting.seed().value();
        if let Some(found) = self.find(seed) {
            return Ok(found);
        }
        let picture = painting.paint()?;
        let mut pictures = lock(&self.pictures);
        pictures.push_back((seed, picture.clone()));
        while pictures.len() > MAX_PICTURES || pictures.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > MAX_BYTES
        {
            pictures.pop_front();
        }
        Ok(picture)
    }

    fn find(&self, seed: u64) -> Option<Bytes> {
        let mut pictures = lock(&self.pictures);
        let index = pictures.iter().position(|(known, _)| *known == seed)?;
        let found = pictures.remove(index)?;
        let picture = found.1.clone();
        pictures.push_back(found);
        Some(picture)
    }
}
