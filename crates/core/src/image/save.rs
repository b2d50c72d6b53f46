//! Files that appear whole or not at all: a temporary file beside the target, synced, then renamed.

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
    /// The most that a file on its way may permit: no more than any file that it may replace.
    mode: u32,
}

impl Target {
    /// Resolves a target for `count` pictures.
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
        // An existing link is followed, so that it stays a link.
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
        // Without an extension the name is known once the format is: each of them must be free.
        let formats = match &target.extension {
            Some(_) => &[None][..],
            None => &[Some(ImageFormat::Png), Some(ImageFormat::Jpeg), Some(ImageFormat::Webp)],
        };
        let paths = (0..count as usize).flat_map(|index| formats.iter().map(move |format| (index, *format)));
        let paths: Vec<_> = paths.map(|(index, format)| target.path(index, format)).collect();
        for path in paths {
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
                Ok(found) if found.is_file() => target.mode &= mode(&found),
                // Numbers and added extensions make names that were not followed above.
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

    /// Where an answer is kept that cannot be used: beside the pictures.
    pub(crate) fn for_answer(&self) -> Self {
        let mut stem = self.stem.clone();
        stem.push(".answer");
        Self { stem, extension: None, numbered: false, count: 1, overwrite: false, ..self.clone() }
    }

    /// The same in a folder of its own, under this name, for its owner alone.
    pub(crate) fn in_folder(folder: &Path, name: &str) -> Self {
        let (folder, stem) = (folder.to_owned(), format!("{name}.answer").into());
        Self { folder, stem, extension: None, numbered: false, count: 1, overwrite: false, mode: 0o600 }
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
        create_with(&self.folder, self.mode)
    }
}

/// Opens a temporary file in a folder, for its owner alone.
pub(crate) fn create_private_in(folder: &Path) -> io::Result<TargetFile> {
    create_with(folder, 0o600)
}

/// The umask applies to `mode`, as to any new file's; its owner may always read and write.
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

/// Where a path leads through links, also to what is not there yet.
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
            // No link, and nothing else either.
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

/// Gives a file the owner, as far as that is allowed, and the permissions of the one at `path` that it will replace.
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
        // What a group might do is not for another group.
        mode &= !0o070;
    }
    // A file system without permissions has none to keep.
    let _ = file.set_permissions(std::fs::Permissions::from_mode(mode));
}

#[cfg(not(unix))]
fn copy_permissions(_file: &File, _path: &Path) {}

/// A temporary file on its way to its final name. Dropped, it is gone.
#[derive(Debug)]
pub(crate) struct TargetFile {
    file: NamedTempFile,
    len: u64,
}

/// A write that failed; `arrived` is what the file had taken, as far as it can be read back.
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

    /// Empties the file: what was written is no picture after all.
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

    /// Reads back what was written, for a file that cannot be kept.
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
        // Names taken meanwhile are stepped over, a bounded number of them.
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

/// Gives a file a name that must be free.
fn persist_new(file: NamedTempFile, path: &Path) -> Result<File, tempfile::PersistError> {
    let refused = match file.persist_noclobber(path) {
        Err(refused) if is_unsupported(&refused.error) => refused,
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
fn is_unsupported(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | TooManyLinks | Unsupported)
}

/// Makes the new name last. Folders cannot be synced everywhere, and the file itself is safe already.
pub(crate) fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}
