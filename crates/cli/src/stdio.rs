//! Writing to the standard descriptors, which may be closed, full or a broken pipe. Rust's own `Stdout` ignores a closed
//! descriptor, so standard output is written to here instead.

use std::io::{self, Write};

/// Writes all bytes to standard output, unbuffered.
pub(crate) fn write(bytes: &[u8]) -> io::Result<()> {
    if let Some(error) = stdout_error() {
        return Err(error);
    }
    write_all(&mut io_output()?, bytes)
}

/// Writes all bytes, also to a descriptor that another program has made non-blocking.
pub(crate) fn write_all(output: &mut (impl Write + AsDescriptor), mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_for_room(output)?,
            Err(error) => return Err(error),
        }
    }
    output.flush()
}

#[cfg(unix)]
pub use unix::record_closed_stdout;
#[cfg(unix)]
pub(crate) use unix::{AsDescriptor, fill_closed_descriptors, stdout_error};
#[cfg(unix)]
use unix::{io_output, wait_for_room};

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io;
    pub(crate) use std::os::fd::AsFd as AsDescriptor;
    use std::os::fd::{AsFd, AsRawFd, IntoRawFd};
    use std::sync::atomic::{AtomicBool, Ordering};

    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    /// Whether standard output was closed when this process started.
    static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

    /// Records whether standard output is closed. Must run before Rust's runtime, which opens `/dev/null` in place of closed
    /// descriptors.
    pub extern "C" fn record_closed_stdout() {
        if fcntl(io::stdout(), FcntlArg::F_GETFD) == Err(Errno::EBADF) {
            STDOUT_WAS_CLOSED.store(true, Ordering::Relaxed);
        }
    }

    /// Opens `/dev/null` in place of closed standard descriptors, as Rust's runtime does in a Rust program: otherwise the next
    /// file or socket would get their numbers, and be written to.
    pub(crate) fn fill_closed_descriptors() {
        record_closed_stdout();
        while let Ok(file) = File::options().read(true).write(true).open("/dev/null") {
            if file.as_raw_fd() > 2 {
                return;
            }
            // It stays open for the life of the process.
            let _ = file.into_raw_fd();
        }
    }

    /// Why standard output cannot be written to, as far as that is known without writing.
    pub(crate) fn stdout_error() -> Option<io::Error> {
        if STDOUT_WAS_CLOSED.load(Ordering::Relaxed) {
            return Some(io::Error::other("it is closed"));
        }
        match fcntl(io::stdout(), FcntlArg::F_GETFL) {
            Err(error) => Some(error.into()),
            Ok(flags) => (OFlag::from_bits_truncate(flags) & OFlag::O_ACCMODE == OFlag::O_RDONLY)
                .then(|| io::Error::other("it is open for reading only")),
        }
    }

    /// Standard output, unbuffered, that reports every error.
    pub(super) fn io_output() -> io::Result<File> {
        io::stdout().as_fd().try_clone_to_owned().map(File::from)
    }

    pub(super) fn wait_for_room(output: &impl AsFd) -> io::Result<()> {
        let mut waiting = [PollFd::new(output.as_fd(), PollFlags::POLLOUT)];
        match poll(&mut waiting, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(not(unix))]
pub(crate) use elsewhere::{AsDescriptor, fill_closed_descriptors, stdout_error};
#[cfg(not(unix))]
use elsewhere::{io_output, wait_for_room};

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    pub(crate) trait AsDescriptor {}
    impl<T> AsDescriptor for T {}

    pub(crate) fn fill_closed_descriptors() {}

    pub(crate) fn stdout_error() -> Option<io::Error> {
        None
    }

    pub(super) fn io_output() -> io::Result<io::Stdout> {
        Ok(io::stdout())
    }

    pub(super) fn wait_for_room(_: &impl AsDescriptor) -> io::Result<()> {
        std::thread::sleep(std::time::Duration::from_millis(10));
        Ok(())
    }
}
