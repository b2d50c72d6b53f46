//! Files that appear whole or not at all: a temporary file beside the target, synced, then renamed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::ImageFormat;
use super::complete::{Verified, verify};
use crate::error::Error;
use crate::text;
use crate::warning::Warning;

/// Where pictures go: a file, or a folder (an existing one, or a path that ends in `/`).
///
/// ```
/// use gptimage_core::SaveTo;
/// let careful = SaveTo::from("pictures/t-rex.png");
/// let replacing = SaveTo::from("pictures/t-rex.png").overwrite(true);
/// # let _ = (careful, replacing);
/// ```
#[derive(Debug, Clone)]
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
    /// Whether an existing file may be replaced. A folder, FIFO or device never is. False unless set.
    #[must_use]
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }
}

/// A [`SaveTo`] that was looked at: the folder exists, the names are known, and nothing stands in the way.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    folder: PathBuf,
    stem: OsString,
    /// As the caller wrote it; `None`: from the picture's format.
    extension: Option<OsString>,
    numbered: bool,
    /// How many pictures were asked for: no more than these may replace anything.
    count: u32,
    overwrite: bool,
    /// Whether the files are for their owner alone.
    private: bool,
}

impl Target {
    /// Resolves a target for `count` pictures.
    pub(crate) fn resolve(to: &SaveTo, count: u32) -> Result<Self, Error> {
        let refused = |path: &Path, reason: &str, kind| {
            Error::io(format!("cannot save to {}: {reason}", text::path(path)), io::Error::from(kind))
        };
        let shown = &to.path;
        if shown.as_os_str().is_empty() {
            return Err(refused(Path::new("\"\""), "an empty path names no file", io::ErrorKind::InvalidInput));
        }
        let wants_folder = shown.as_os_str().as_encoded_bytes().last().is_some_and(|byte| is_separator(*byte));
        let path = std::path::absolute(shown)
            .map_err(|error| Error::io(format!("cannot save to {}", text::path(shown)), error))?;
        if wants_folder || path.is_dir() {
            if !path.is_dir() {
                let reason = "there is no such folder; create it first";
                return Err(refused(shown, reason, io::ErrorKind::NotFound));
            }
            let stem = format!("gptimage-{}", jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S")).into();
            return Ok(Self {
                folder: path,
                stem,
                extension: None,
                numbered: true,
                count,
                overwrite: false,
                private: false,
            });
        }
        // An existing link is followed, so that it stays a link.
        let path = if to.overwrite { path.canonicalize().unwrap_or(path) } else { path };
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(refused(shown, "that is no file name", io::ErrorKind::InvalidInput));
        };
        if !folder.is_dir() {
            let reason = format!("there is no folder {}; create it first", text::path(folder));
            return Err(refused(shown, &reason, io::ErrorKind::NotFound));
        }
        let (stem, extension) = split_extension(name);
        let target = Self {
            folder: folder.to_owned(),
            stem,
            extension,
            numbered: count > 1,
            count,
            overwrite: to.overwrite,
            private: false,
        };
        // Without an extension the name is known once the format is: each of them must be free.
        let formats = match &target.extension {
            Some(_) => &[None][..],
            None => &[Some(ImageFormat::Png), Some(ImageFormat::Jpeg), Some(ImageFormat::Webp)],
        };
        let paths = (0..count as usize).flat_map(|index| formats.iter().map(move |format| (index, *format)));
        for path in paths.map(|(index, format)| target.path(index, format)) {
            match path.symlink_metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // A name that is too long, for one: better known now than after paying.
                Err(error) => {
                    return Err(Error::io(format!("cannot save to {}", text::path(&path)), error));
                }
                Ok(found) if !target.overwrite => {
                    let what = if found.is_file() { "the file" } else { "something" };
                    let reason = format!("{what} exists; choose another name or allow overwriting");
                    return Err(refused(&path, &reason, io::ErrorKind::AlreadyExists));
                }
                Ok(found) if found.is_file() || found.is_symlink() => {}
                Ok(_) => {
                    let reason = "something that is no regular file stands there, and is never replaced";
                    return Err(refused(&path, reason, io::ErrorKind::AlreadyExists));
                }
            }
        }
        Ok(target)
    }

    /// Where an answer is kept that cannot be used: beside the pictures.
    pub(crate) fn for_answer(&self) -> Self {
        let mut stem = self.stem.clone();
        stem.push(".answer");
        Self { stem, extension: None, numbered: false, count: 1, overwrite: false, ..self.clone() }
    }

    /// The same in a folder of its own, under this name.
    pub(crate) fn in_folder(folder: &Path, name: &str) -> Self {
        let (folder, stem) = (folder.to_owned(), format!("{name}.answer").into());
        Self { folder, stem, extension: None, numbered: false, count: 1, overwrite: false, private: true }
    }

    /// With this file name extension.
    pub(crate) fn with_extension(mut self, extension: &str) -> Self {
        self.extension = Some(extension.into());
        self
    }

    /// Whether a picture is one more than were asked for: its name was not looked at before.
    fn is_surplus(&self, index: usize) -> bool {
        index >= self.count as usize
    }

    /// The folder or file for messages.
    pub(crate) fn display(&self) -> String {
        text::path(&self.path(0, None))
    }

    fn path(&self, index: usize, format: Option<ImageFormat>) -> PathBuf {
        self.candidate(index, format, 0)
    }

    /// The final name of a picture; `again` counts names that were found taken.
    fn candidate(&self, index: usize, format: Option<ImageFormat>, again: u32) -> PathBuf {
        let mut name = self.stem.clone();
        if self.numbered || self.is_surplus(index) {
            name.push(format!("-{}", index + 1));
        }
        if again > 0 {
            name.push(format!("-{again}"));
        }
        let extension = self.extension.as_deref().or(format.map(|format| OsStr::new(format.extension())));
        if let Some(extension) = extension {
            name.push(".");
            name.push(extension);
        }
        self.folder.join(name)
    }

    /// Opens a temporary file in the target's folder. Called before money is spent: it proves that the folder takes files.
    pub(crate) fn create(&self) -> Result<TargetFile, Error> {
        self.create_io()
            .map_err(|error| Error::io(format!("no file can be created in {}", text::path(&self.folder)), error))
    }

    pub(crate) fn create_io(&self) -> io::Result<TargetFile> {
        if self.private { create_private_in(&self.folder) } else { create_in(&self.folder) }
    }
}

/// Opens a temporary file in a folder. The final file has the permissions of any other new file: the umask applies.
fn create_in(folder: &Path) -> io::Result<TargetFile> {
    create_with(folder, 0o666)
}

/// As [`create_in`], of a file for its owner alone.
pub(crate) fn create_private_in(folder: &Path) -> io::Result<TargetFile> {
    create_with(folder, 0o600)
}

fn create_with(
    folder: &Path,
    #[cfg_attr(not(unix), allow(unused_variables, reason = "modes are Unix's"))] mode: u32,
) -> io::Result<TargetFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gptimage-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    Ok(TargetFile { file: builder.tempfile_in(folder)?, len: 0 })
}

fn is_separator(byte: u8) -> bool {
    std::path::is_separator(char::from(byte))
}

/// `.hidden` has no extension, `a.tar.gz` has `gz`.
fn split_extension(name: &OsStr) -> (OsString, Option<OsString>) {
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

/// A temporary file on its way to its final name. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct TargetFile {
    file: NamedTempFile,
    len: u64,
}

/// A write that failed; `arrived` is what the file had taken, as far as it can be read back.
#[derive(Debug)]
pub(crate) struct Unsaved {
    pub(crate) error: io::Error,
    pub(crate) arrived: Vec<u8>,
}

impl TargetFile {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Unsaved> {
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.len += bytes.len() as u64;
                Ok(())
            }
            Err(error) => Err(self.take_back(error, self.len)),
        }
    }

    /// Empties the file: what was written is no picture after all.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.len = 0;
        self.file.as_file().set_len(0)?;
        self.file.rewind()
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn verify(&mut self) -> Result<Verified, String> {
        verify(self.file.as_file_mut(), self.len)
    }

    /// What was written, for somebody who cannot have the file.
    pub(crate) fn read_back(&mut self) -> io::Result<Vec<u8>> {
        self.file.rewind()?;
        let mut bytes = Vec::new();
        self.file.as_file_mut().take(self.len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn take_back(&mut self, error: io::Error, len: u64) -> Unsaved {
        self.len = len;
        Unsaved { error, arrived: self.read_back().unwrap_or_default() }
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.as_file().sync_all()
    }

    /// Gives the file a name that must be free, and syncs neither.
    pub(crate) fn store_as(self, path: &Path) -> io::Result<()> {
        persist_new(self.file, path).map(drop).map_err(|refused| refused.error)
    }

    /// Syncs the file and gives it its final name.
    pub(crate) fn store(
        mut self,
        target: &Target,
        index: usize,
        format: Option<ImageFormat>,
    ) -> Result<(PathBuf, Vec<Warning>), Unsaved> {
        if let Err(error) = self.sync() {
            let len = self.len;
            return Err(self.take_back(error, len));
        }
        let mut warnings = Vec::new();
        if let (Some(given), Some(format)) = (&target.extension, format)
            && !format.has_extension(given)
        {
            warnings.push(Warning::lying_extension(&target.path(index, Some(format)), format));
        }
        let len = self.len;
        let mut file = self.file;
        // Names taken meanwhile are stepped over, a bounded number of them.
        for again in 0..1000 {
            let path = target.candidate(index, format, again);
            let replaces = target.overwrite && !target.is_surplus(index);
            let persisted = if replaces { file.persist(&path) } else { persist_new(file, &path) };
            match persisted {
                Ok(_) => {
                    sync_folder(&target.folder);
                    if again > 0 {
                        warnings.push(Warning::target_appeared(&target.path(index, format), &path));
                    }
                    return Ok((path, warnings));
                }
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => file = error.file,
                Err(error) => {
                    return Err(Self { file: error.file, len }.take_back(error.error, len));
                }
            }
        }
        Err(Self { file, len }.take_back(io::ErrorKind::AlreadyExists.into(), len))
    }
}

/// Gives a file a name that must be free.
fn persist_new(file: NamedTempFile, path: &Path) -> Result<File, tempfile::PersistError> {
    let refused = match file.persist_noclobber(path) {
        Err(refused) if cannot(&refused.error) => refused,
        done => return done,
    };
    // A file system that can neither link nor rename without replacing: the name is taken first, then replaced. A disk
    // that fails gets no such name, which would be an empty file if the process were killed now.
    match File::create_new(path) {
        Ok(_) => refused.file.persist(path).inspect_err(|_| {
            // The name was ours, and empty.
            let _ = std::fs::remove_file(path);
        }),
        Err(error) => Err(tempfile::PersistError { error, file: refused.file }),
    }
}

/// Whether this is how a file system says that it does not do such things.
fn cannot(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | TooManyLinks | Unsupported)
}

/// Makes the new name last. Folders cannot be synced everywhere, and the file itself is safe already.
pub(crate) fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}
