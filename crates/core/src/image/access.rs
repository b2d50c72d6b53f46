//! Reads a picture's bytes, and saves copies of it.

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
    /// Reads the bytes, from memory or from the file. Blocks while it reads.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the file cannot be read; [`ErrorKind::DownloadFailed`] if the picture is still at a URL.
    pub fn read(&self) -> Result<Bytes, Error> {
        match self.location() {
            Location::Memory(bytes) => Ok(bytes.clone()),
            Location::File(path) => std::fs::read(path)
                .map(Bytes::from)
                .map_err(|error| Error::io(format!("{} cannot be read", text::path(path)), error)),
            Location::Url => Err(self.not_fetched()),
        }
    }

    /// Saves a copy to a file or folder and says where it is: complete and synced under its final name or not at all.
    /// Blocks while it writes.
    ///
    /// An existing folder or a path that ends in `/` takes a name of our making; a missing extension is added; an
    /// existing file is refused unless [`SaveTo::overwrite`] is set. The bytes stay as they are, whatever the extension: one
    /// of another format is logged as a warning, and [`Image::extension_warning`] knows it before.
    ///
    /// # Errors
    /// [`ErrorKind::Io`]; [`ErrorKind::DownloadFailed`] if the picture is still at a URL.
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

    /// What [`Image::save`] would warn of: a file extension that is not one of this picture's format. The picture is not
    /// converted.
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
