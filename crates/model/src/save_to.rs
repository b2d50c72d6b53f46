//! Where pictures go. Here for the format that a file's extension decides.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::image::ImageFormat;

/// Where pictures go: a file, or a folder (an existing one, or a path that ends in `/`).
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
    /// Whether an existing file may be replaced, by one of the same permissions. Default: false. A link stays a link, and
    /// the file it leads to is replaced, or made. A folder, FIFO or device is never replaced.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Whether an existing file may be replaced.
    pub fn overwrites(&self) -> bool {
        self.overwrite
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The format of the file's extension. `None` for a folder, and for a name without an extension of a picture format.
    /// Asks the file system whether the path is a folder.
    pub fn format(&self) -> Option<ImageFormat> {
        ImageFormat::from_extension(&self.extension()?)
    }

    /// The file's extension, without its dot. `None` for a folder. Asks the file system whether the path is a folder.
    pub fn extension(&self) -> Option<OsString> {
        if self.names_folder() || self.path.is_dir() {
            return None;
        }
        split_extension(self.path.file_name()?).1
    }

    /// Whether the path ends in a separator, so that only a folder can be meant.
    pub fn names_folder(&self) -> bool {
        self.path.as_os_str().as_encoded_bytes().last().is_some_and(|byte| std::path::is_separator(char::from(*byte)))
    }
}

/// Splits a file name into its stem and its extension: `.hidden` has none, `a.tar.gz` has `gz`.
pub fn split_extension(name: &OsStr) -> (OsString, Option<OsString>) {
    let mut name = name;
    loop {
        match (Path::new(name).file_stem(), Path::new(name).extension()) {
            (Some(stem), Some(extension)) if !extension.is_empty() => return (stem.into(), Some(extension.into())),
            // Dots at its end begin no extension.
            (Some(stem), Some(_)) => name = stem,
            _ => return (name.into(), None),
        }
    }
}
