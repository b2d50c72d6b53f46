//! Reads the bytes of an image, and saves copies of it.

use std::path::PathBuf;

use bytes::Bytes;
use gptimage_model::SaveTo;

use super::picture::{Image, Location};
use super::save::Target;
use crate::charge::Charge;
use crate::error::{Error, ErrorKind};
use crate::text;
use crate::warning::Warning;

impl Image {
    /// Reads the bytes from memory or from the file. Blocks while it reads.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the file cannot be read. [`ErrorKind::DownloadFailed`] if the image is still at its URL.
    pub fn read(&self) -> Result<Bytes, Error> {
        match self.location() {
            Location::Memory(bytes) => Ok(bytes.clone()),
            Location::File(path) => std::fs::read(path)
                .map(Bytes::from)
                .map_err(|error| Error::io(format!("{} cannot be read", text::path(path)), error)),
            Location::Url => Err(self.not_fetched()),
        }
    }

    /// Saves a copy to a file or folder and returns its path. Blocks while it writes. The file appears under its final
    /// name when it is complete and synced, or not at all.
    ///
    /// In a folder (an existing one, or a path that ends in `/`) the file gets a generated name. A missing extension is
    /// added. An existing file is refused unless [`SaveTo::overwrite`] is set. The image is not converted: an extension
    /// of another format is logged as a warning, which [`Image::extension_warning`] returns beforehand.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the file cannot be written. [`ErrorKind::DownloadFailed`] if the image is still at its URL.
    pub fn save(&self, to: impl Into<SaveTo>) -> Result<PathBuf, Error> {
        let to = to.into();
        let target = Target::resolve(&to, 1)?;
        let bytes = self.read()?;
        let mut file = target.create()?;
        let written = file.write(&bytes).and_then(|()| file.store(&target, 0, self.format()));
        match written {
            Ok((path, warnings)) => {
                for warning in warnings {
                    tracing::warn!(kind = warning.kind(), "{warning}");
                }
                Ok(path)
            }
            Err(unsaved) => Err(Error::io(format!("{} cannot be written", target.display()), unsaved.error)),
        }
    }

    /// Returns the warning that [`Image::save`] would log if the extension is not one of the image's format.
    ///
    /// ```
    /// use gptimage_core::Image;
    /// # let png = &include_bytes!("../../../../tests/fixtures/rgb-4x4.png")[..];
    /// let image = Image::from_bytes(png);
    /// assert!(image.extension_warning("t-rex.png").is_none());
    /// assert_eq!(image.extension_warning("t-rex.jpg").unwrap().kind(), "lying_extension");
    /// ```
    pub fn extension_warning(&self, to: impl Into<SaveTo>) -> Option<Warning> {
        let (to, format) = (to.into(), self.format()?);
        let lies = to.extension().is_some_and(|extension| !format.has_extension(&extension));
        lies.then(|| Warning::lying_extension(to.path(), format))
    }

    fn not_fetched(&self) -> Error {
        Error::new(ErrorKind::DownloadFailed, "the picture is still at its url; fetch it first with `client.fetch`")
            .with_charge(Charge::Charged)
    }
}
