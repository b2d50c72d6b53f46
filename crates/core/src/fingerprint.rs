//! What logs say of payloads: a hash that tells two apart and shows neither.

use std::fmt;

use crate::generated::Generated;
use crate::image::Image;

/// Bytes of SHA-256 that are shown.
const SHOWN: usize = 8;

/// The beginning of the SHA-256 of some bytes.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect()
}

/// Pictures as sizes and hashes; those in files and at URLs as sizes alone.
pub(crate) struct Pictures<'a>(pub(crate) &'a Generated);

impl fmt::Display for Pictures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, image) in self.0.images().iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{image:?}")?;
            if let Some(bytes) = Image::bytes(image) {
                write!(f, " sha256 {}", fingerprint(bytes))?;
            }
        }
        Ok(())
    }
}
