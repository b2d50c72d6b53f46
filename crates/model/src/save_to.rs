//! The file or folder to save images to. It is part of the model because a file's extension decides the format.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::image::ImageFormat;

/// The destination of images: a file, or a folder (an existing one, or a path that ends in `/`).
///
/// ```
/// use gptimage_model::SaveTo;
/// let careful = SaveTo::from("pictures/t-rex.png");
/// let replacing = SaveTo::from("pictures/t-rex.png").overwrite(true);
/// # let _ = (careful, replacing);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SaveTo {
    path: PathBuf,
    overwrite: bool,
}

impl<P: AsRef<Path>> From<P> for SaveTo {
    fn from(path: P) -> Self {
        Self { path: path.as_ref().to_owned(), overwrite: false }
    }
}

impl SaveTo {
    /// Sets whether an existing file may be replaced; the new file gets the same permissions. Default: false. If the
    /// path is a symbolic link, the link stays and its target is replaced or created. A folder, FIFO or device is never
    /// replaced.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Returns whether an existing file may be replaced.
    pub fn overwrites(&self) -> bool {
        self.overwrite
    }

    /// Returns the path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the image format of the file's extension. `None` for a folder, and for an extension that belongs to no
    /// image format. Checks the file system for whether the path is a folder.
    #[doc(hidden)]
    pub fn format(&self) -> Option<ImageFormat> {
        ImageFormat::from_extension(&self.extension()?)
    }

    /// Returns the file's extension without its dot. `None` for a folder. Checks the file system for whether the path
    /// is a folder.
    #[doc(hidden)]
    pub fn extension(&self) -> Option<OsString> {
        if self.names_folder() || self.path.is_dir() {
            return None;
        }
        split_extension(self.path.file_name()?).1
    }

    /// Returns whether the path ends in a separator, so that it can only mean a folder.
    #[doc(hidden)]
    pub fn names_folder(&self) -> bool {
        self.path.as_os_str().as_encoded_bytes().last().is_some_and(|byte| std::path::is_separator(char::from(*byte)))
    }
}

/// Splits a file name into stem and extension: `.hidden` has no extension, `a.tar.gz` has `gz`.
#[doc(hidden)]
pub fn split_extension(name: &OsStr) -> (OsString, Option<OsString>) {
    let mut name = name;
    loop {
        match (Path::new(name).file_stem(), Path::new(name).extension()) {
            (Some(stem), Some(extension)) if !extension.is_empty() => return (stem.into(), Some(extension.into())),
            // Trailing dots do not begin an extension.
            (Some(stem), Some(_)) => name = stem,
            _ => return (name.into(), None),
        }
    }
}
