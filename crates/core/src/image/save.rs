//! Files that appear complete or not at all: a temporary file next to the target is synced and then renamed.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use gptimage_model::image::{Verified, VerifyError, verify};
use gptimage_model::save_to::split_extension;
use gptimage_model::{ImageFormat, SaveTo};
use tempfile::NamedTempFile;

use crate::error::Error;
use crate::text;
use crate::warning::Warning;

/// A validated [`SaveTo`]: the folder exists, the names are known, and nothing is in the way.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    folder: PathBuf,
    stem: OsString,
    /// The extension as the caller wrote it. `None` means that the image's format decides.
    extension: Option<OsString>,
    numbered: bool,
    /// Number of images requested. Further images never replace existing files.
    count: u32,
    overwrite: bool,
    /// Permissions of the temporary file. They allow no more than those of any file that it may replace.
    mode: u32,
}

impl Target {
    /// Resolves a target for `count` images.
    pub(crate) fn resolve(to: &SaveTo, count: u32) -> Result<Self, Error> {
        let refused = |path: &Path, reason: &str, kind| {
            Error::io(format!("cannot save to {}: {reason}", text::path(path)), io::Error::from(kind))
        };
        let shown = to.path();
        if shown.as_os_str().is_empty() {
            return Err(refused(Path::new("\"\""), "an empty path names no file", io::ErrorKind::InvalidInput));
        }
        let wants_folder = to.names_folder();
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
                mode: 0o666,
            });
        }
        // Resolve an existing link, so that the link itself is kept.
        let path = if to.overwrites() {
            resolve_links(&path).map_err(|error| Error::io(format!("cannot save to {}", text::path(shown)), error))?
        } else {
            path
        };
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(refused(shown, "that is no file name", io::ErrorKind::InvalidInput));
        };
        if !folder.is_dir() {
            let reason = format!("there is no folder {}; create it first", text::path(folder));
            return Err(refused(shown, &reason, io::ErrorKind::NotFound));
        }
        let (stem, extension) = split_extension(name);
        let folder = folder.to_owned();
        let mut target =
            Self { folder, stem, extension, numbered: count > 1, count, overwrite: to.overwrites(), mode: 0o666 };
        // Without an extension, the name depends on the image's format. The names of all formats must be free.
        let formats = match &target.extension {
            Some(_) => &[None][..],
            None => &[Some(ImageFormat::Png), Some(ImageFormat::Jpeg), Some(ImageFormat::Webp)],
        };
        let paths = (0..count as usize).flat_map(|index| formats.iter().map(move |format| (index, *format)));
        let paths: Vec<_> = paths.map(|(index, format)| target.path(index, format)).collect();
        for path in paths {
            match path.symlink_metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // For example, the name is too long. It is better to fail now than after paying.
                Err(error) => {
                    return Err(Error::io(format!("cannot save to {}", text::path(&path)), error));
                }
                Ok(found) if !target.overwrite => {
                    let what = if found.is_file() { "the file" } else { "something" };
                    let reason = format!("{what} exists; choose another name or allow overwriting");
                    return Err(refused(&path, &reason, io::ErrorKind::AlreadyExists));
                }
                Ok(found) if found.is_file() => target.mode &= mode(&found),
                // Names with numbers or added extensions may be links, which were not resolved above.
                Ok(found) if found.is_symlink() => {
                    let reason = "a link stands there, and only a file that is named whole is written through one";
                    return Err(refused(&path, reason, io::ErrorKind::AlreadyExists));
                }
                Ok(_) => {
                    let reason = "something that is no regular file stands there, and is never replaced";
                    return Err(refused(&path, reason, io::ErrorKind::AlreadyExists));
                }
            }
        }
        Ok(target)
    }

    /// Returns the target for a response that cannot be used: a file next to the images.
    pub(crate) fn for_answer(&self) -> Self {
        let mut stem = self.stem.clone();
        stem.push(".answer");
        Self { stem, extension: None, numbered: false, count: 1, overwrite: false, ..self.clone() }
    }

    /// Returns the target for a response that cannot be used in another folder, with this name, readable only by its
    /// owner.
    pub(crate) fn in_folder(folder: &Path, name: &str) -> Self {
        let (folder, stem) = (folder.to_owned(), format!("{name}.answer").into());
        Self { folder, stem, extension: None, numbered: false, count: 1, overwrite: false, mode: 0o600 }
    }

    /// Sets the file name extension.
    pub(crate) fn with_extension(mut self, extension: &str) -> Self {
        self.extension = Some(extension.into());
        self
    }

    /// Returns whether an image exceeds the number requested. Then its name was not checked beforehand.
    fn is_surplus(&self, index: usize) -> bool {
        index >= self.count as usize
    }

    /// Returns the folder or file as text for messages.
    pub(crate) fn display(&self) -> String {
        text::path(&self.path(0, None))
    }

    fn path(&self, index: usize, format: Option<ImageFormat>) -> PathBuf {
        self.candidate(index, format, 0)
    }

    /// Returns the final name of an image. `again` counts the names that turned out to be taken.
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

    /// Opens a temporary file in the target's folder. Called before money is spent, to prove that files can be created
    /// there.
    pub(crate) fn create(&self) -> Result<TargetFile, Error> {
        self.create_io()
            .map_err(|error| Error::io(format!("no file can be created in {}", text::path(&self.folder)), error))
    }

    pub(crate) fn create_io(&self) -> io::Result<TargetFile> {
        create_with(&self.folder, self.mode)
    }
}

/// Opens a temporary file in a folder, accessible only to its owner.
pub(crate) fn create_private_in(folder: &Path) -> io::Result<TargetFile> {
    create_with(folder, 0o600)
}

/// Opens a temporary file. The umask applies to `mode`, as for any new file; its owner can always read and write it.
fn create_with(
    folder: &Path,
    #[cfg_attr(not(unix), allow(unused_variables, reason = "modes are Unix's"))] mode: u32,
) -> io::Result<TargetFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gptimage-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode | 0o600));
    Ok(TargetFile { file: builder.tempfile_in(folder)?, len: 0 })
}

/// Returns the path that is reached by following links, even if nothing exists there yet.
fn resolve_links(path: &Path) -> io::Result<PathBuf> {
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        match path.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(path) => return Ok(path),
        }
        match (path.read_link(), path.parent()) {
            (Ok(leads_to), Some(folder)) => path = folder.join(leads_to),
            // The path is not a link and nothing exists there.
            _ => return Ok(path),
        }
    }
    Err(io::Error::other("too many links follow on one another"))
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions())
}

#[cfg(not(unix))]
fn mode(_metadata: &Metadata) -> u32 {
    0o666
}

/// Gives a file the permissions, and if allowed the owner and group, of the file at `path` that it will replace.
#[cfg(unix)]
fn copy_permissions(file: &File, path: &Path) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let (Ok(old), Ok(new)) = (path.symlink_metadata(), file.metadata()) else { return };
    if !old.is_file() {
        return;
    }
    let mut mode = old.permissions().mode() & 0o777;
    if (old.uid(), old.gid()) != (new.uid(), new.gid())
        && fchown(file, Some(old.uid()), Some(old.gid())).is_err()
        && fchown(file, None, Some(old.gid())).is_err()
    {
        // The permissions of the old group must not apply to another group.
        mode &= !0o070;
    }
    // Best effort: some file systems have no permissions.
    let _ = file.set_permissions(std::fs::Permissions::from_mode(mode));
}

#[cfg(not(unix))]
fn copy_permissions(_file: &File, _path: &Path) {}

/// A temporary file that will get its final name. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct TargetFile {
    file: NamedTempFile,
    len: u64,
}

/// A failed write. `arrived` holds the bytes written before, as far as they can be read back.
#[derive(Debug)]
pub(crate) struct WriteError {
    pub(crate) error: io::Error,
    pub(crate) arrived: Vec<u8>,
}

impl TargetFile {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.len += bytes.len() as u64;
                Ok(())
            }
            Err(error) => Err(self.take_back(error, self.len)),
        }
    }

    /// Empties the file, because its content turned out not to be an image.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.len = 0;
        self.file.as_file().set_len(0)?;
        self.file.rewind()
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn verify(&mut self) -> Result<Verified, VerifyError> {
        verify(self.file.as_file_mut(), self.len)
    }

    /// Reads back the written bytes, if the file cannot be kept.
    pub(crate) fn read_back(&mut self) -> io::Result<Vec<u8>> {
        self.file.rewind()?;
        let mut bytes = Vec::new();
        self.file.as_file_mut().take(self.len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn take_back(&mut self, error: io::Error, len: u64) -> WriteError {
        self.len = len;
        WriteError { error, arrived: self.read_back().unwrap_or_default() }
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.as_file().sync_all()
    }

    /// Gives the file a name, which must be free. Syncs neither the file nor the folder.
    pub(crate) fn store_as(self, path: &Path) -> io::Result<()> {
        persist_new(self.file, path).map(drop).map_err(|refused| refused.error)
    }

    /// Syncs the file and gives it its final name.
    pub(crate) fn store(
        mut self,
        target: &Target,
        index: usize,
        format: Option<ImageFormat>,
    ) -> Result<(PathBuf, Vec<Warning>), WriteError> {
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
        // If a name was taken in the meantime, try the next ones, up to a limit.
        for again in 0..1000 {
            let path = target.candidate(index, format, again);
            let persisted = if target.overwrite && !target.is_surplus(index) {
                copy_permissions(file.as_file(), &path);
                file.persist(&path)
            } else {
                persist_new(file, &path)
            };
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

/// Gives a file a name, which must be free.
fn persist_new(file: NamedTempFile, path: &Path) -> Result<File, tempfile::PersistError> {
    let refused = match file.persist_noclobber(path) {
        Err(refused) if is_unsupported(&refused.error) => refused,
        done => return done,
    };
    // This file system can neither link nor rename without replacing, so create the name first and then replace it. A
    // failing disk must not reach this point: an empty file would be left if the process were killed now.
    match File::create_new(path) {
        Ok(_) => refused.file.persist(path).inspect_err(|_| {
            // We created this name, and the file is empty.
            let _ = std::fs::remove_file(path);
        }),
        Err(error) => Err(tempfile::PersistError { error, file: refused.file }),
    }
}

/// Returns whether the error is one with which file systems report an unsupported operation.
fn is_unsupported(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | TooManyLinks | Unsupported)
}

/// Makes the new name durable. Best effort: not every system can sync folders, and the file itself is synced already.
pub(crate) fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}
