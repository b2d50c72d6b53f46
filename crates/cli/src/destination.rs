//! The output given by `-o`: a file or folder, or a stream that takes one image (standard output, another descriptor, a FIFO,
//! a device).

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use crate::stdin::Stdin;
use crate::stdio;

/// The meaning of an output path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A file or folder, checked by the library.
    Files(PathBuf),
    Stream(Stream),
}

const NO_TERMINAL: &str = "a picture is not written to a terminal; pipe it on, or give a file";

/// An existing stream, which is written to and never replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    /// A FIFO, a device or an inherited descriptor.
    Path(PathBuf),
}

/// A stream opened for writing.
#[derive(Debug)]
pub(crate) enum Opened {
    Stdout,
    File(File),
}

impl Destination {
    /// Classifies an output path; `None` is the current folder.
    ///
    /// # Errors
    /// Says why nothing can be written there.
    pub(crate) fn of(output: Option<&Path>) -> Result<Self, String> {
        let Some(path) = output else { return Ok(Self::Files("./".into())) };
        if Stdin::is_dash(path) {
            return Ok(Self::Stream(Stream::Stdout));
        }
        stream_at(path).map(|stream| stream.map_or_else(|| Self::Files(path.to_owned()), Self::Stream))
    }

    pub(crate) fn is_stdout(&self) -> bool {
        *self == Self::Stream(Stream::Stdout)
    }
}

impl Stream {
    /// Opens the stream. Blocks until a FIFO has a reader.
    pub(crate) fn open(&self) -> Result<Opened, String> {
        let opened = match self {
            Self::Stdout => match stdio::stdout_error() {
                Some(error) => return Err(cannot(&"standard output", &error)),
                None => Opened::Stdout,
            },
            Self::Path(path) => Opened::File(open(path).map_err(|error| cannot(&path.display(), &error))?),
        };
        match &opened {
            Opened::File(file) if file.is_terminal() => Err(NO_TERMINAL.to_owned()),
            Opened::File(_) | Opened::Stdout => Ok(opened),
        }
    }

    /// Fails if the stream is a terminal, as far as that is known without opening it.
    pub(crate) fn check_not_terminal(&self) -> Result<(), String> {
        match self {
            Self::Stdout if io::stdout().is_terminal() => Err(NO_TERMINAL.to_owned()),
            Self::Stdout | Self::Path(_) => Ok(()),
        }
    }

    /// The name used in messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdout => "standard output".to_owned(),
            Self::Path(path) => path.display().to_string(),
        }
    }
}

impl Opened {
    /// Writes an image. A partial write cannot be undone.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => stdio::write(bytes),
            Self::File(file) => stdio::write_all(file, bytes),
        }
    }
}

fn cannot(what: &dyn std::fmt::Display, error: &io::Error) -> String {
    format!("{what} cannot be written to: {error}; nothing was sent. Give a file with -o, or /dev/null for none")
}

/// Opens an existing path for appending. Creates nothing, and does not make a terminal the controlling one.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().append(true).custom_flags(nix::libc::O_NOCTTY).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::options().append(true).open(path)
}

#[cfg(not(unix))]
fn stream_at(_: &Path) -> Result<Option<Stream>, String> {
    Ok(None)
}

/// The stream that a path names. `None` for files and folders, whether or not they exist.
#[cfg(unix)]
fn stream_at(path: &Path) -> Result<Option<Stream>, String> {
    use std::os::unix::fs::FileTypeExt;
    let shown = path.display();
    match descriptor(path) {
        Some(0) => return Err(format!("{shown} is standard input, which takes nothing; use -o - or a file")),
        Some(1) => return Ok(Some(Stream::Stdout)),
        Some(2) => {
            return Err(format!("{shown} is standard error, where messages go; use -o - or a file"));
        }
        Some(_) => {
            return match path.metadata() {
                Ok(found) if found.is_dir() => Err(format!("{shown} is a folder's descriptor; name the folder itself")),
                Ok(_) => Ok(Some(Stream::Path(path.to_owned()))),
                Err(error) => Err(cannot(&shown, &error)),
            };
        }
        None => {}
    }
    match path.metadata().map(|found| found.file_type()) {
        Ok(found) if found.is_fifo() || found.is_char_device() => Ok(Some(Stream::Path(path.to_owned()))),
        Ok(found) if found.is_block_device() => Err(format!("{shown} is a disk, and is not written to; give a file")),
        Ok(found) if found.is_socket() => Err(format!("{shown} is a socket, and cannot be opened; give a file")),
        Err(_) if is_directly_in(path, "/dev") => {
            Err(format!("there is no device {shown}, and files do not belong there; give a file elsewhere"))
        }
        _ => Ok(None),
    }
}

/// The number of the descriptor that a path names, directly or through links: `/dev/stdout`, `/dev/fd/3`,
/// `/proc/self/fd/1`.
#[cfg(unix)]
fn descriptor(path: &Path) -> Option<u32> {
    const LINKS_MAX: usize = 40;
    const FOLDERS: [&str; 3] = ["/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"];
    let mut path = std::path::absolute(path).ok()?;
    for _ in 0..LINKS_MAX {
        let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
        // Even if the device does not exist: a regular file of this name is never intended.
        let standard = [("stdin", 0), ("stdout", 1), ("stderr", 2)];
        if let (true, Some((_, number))) =
            (folder == Path::new("/dev"), standard.iter().find(|(known, _)| *known == name))
        {
            return Some(*number);
        }
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let holds_descriptors =
            |known: &&str| real == Path::new(known) || Path::new(known).canonicalize().is_ok_and(|known| known == real);
        if FOLDERS.iter().any(holds_descriptors) {
            return name.parse().ok();
        }
        path = std::path::absolute(real.join(real.join(name).read_link().ok()?)).ok()?;
    }
    None
}

#[cfg(unix)]
fn is_directly_in(path: &Path, folder: &str) -> bool {
    let parent = std::path::absolute(path).ok().and_then(|path| path.parent().map(Path::to_owned));
    parent.is_some_and(|parent| parent.canonicalize().unwrap_or(parent) == Path::new(folder))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn of(path: impl AsRef<Path>) -> Result<Destination, String> {
        Destination::of(Some(path.as_ref()))
    }

    #[test]
    fn standard_output_has_many_names() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("/dev/stdout", &link).unwrap();
        let of_link = folder.path().join("of link");
        symlink("link", &of_link).unwrap();
        let names = ["-", "/dev/stdout", "/dev//stdout", "/dev/fd/1", "/proc/self/fd/1"].map(PathBuf::from);
        for name in names.iter().chain([&link, &of_link]) {
            assert_eq!(of(name), Ok(Destination::Stream(Stream::Stdout)), "{name:?}");
        }
        for name in ["/dev/stdin", "/dev/stderr", "/dev/fd/0", "/dev/fd/2", "/dev/fd/999999"] {
            assert!(of(name).is_err(), "{name}");
        }
    }

    #[test]
    fn devices_and_fifos_are_streams_and_files_are_files() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let socket = folder.path().join("socket");
        let _listens = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for name in [Path::new("/dev/null"), Path::new("/dev/full"), &fifo] {
            assert_eq!(of(name), Ok(Destination::Stream(Stream::Path(name.to_owned()))));
        }
        let dangling = folder.path().join("dangling");
        symlink("nowhere", &dangling).unwrap();
        let looping = folder.path().join("looping");
        symlink("looping", &looping).unwrap();
        let files = ["a.png", "missing/a.png", "./", "/", "stdout", "fd/1"].map(|name| folder.path().join(name));
        for name in files.iter().chain([&dangling, &looping]) {
            assert_eq!(of(name), Ok(Destination::Files(name.clone())));
        }
        assert_eq!(Destination::of(None), Ok(Destination::Files("./".into())));
        for name in [Path::new("/dev/nul"), &socket] {
            assert!(of(name).is_err(), "{name:?}");
        }
    }
}
