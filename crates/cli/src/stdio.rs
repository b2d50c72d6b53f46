//! The standard descriptors, which may be closed, full or a pipe that nobody reads. Rust's own `Stdout` takes a closed one for
//! a success, so it is written to here.

use std::io::{self, Write};

/// Writes all of it to standard output, at once.
pub(crate) fn write(bytes: &[u8]) -> io::Result<()> {
    if let Some(error) = unwritable() {
        return Err(error);
    }
    write_all(&mut io_output()?, bytes)
}

/// Writes all of it, also to what another program has made non-blocking.
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
pub use unix::look_at_stdout;
#[cfg(unix)]
pub(crate) use unix::{AsDescriptor, fill, unwritable};
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

    /// Notes whether standard output is open. Rust opens `/dev/null` in place of what is closed before `main` begins, so the
    /// program calls this even earlier.
    pub extern "C" fn look_at_stdout() {
        if fcntl(io::stdout(), FcntlArg::F_GETFD) == Err(Errno::EBADF) {
            STDOUT_WAS_CLOSED.store(true, Ordering::Relaxed);
        }
    }

    /// Opens `/dev/null` in place of standard descriptors that are closed, as Rust's own programs do: else the next file or
    /// socket would take their place, and be written to.
    pub(crate) fn fill() {
        look_at_stdout();
        while let Ok(file) = File::options().read(true).write(true).open("/dev/null") {
            if file.as_raw_fd() > 2 {
                return;
            }
            // It stays open, as what it stands for would have.
            let _ = file.into_raw_fd();
        }
    }

    /// Why nothing can be written to standard output, where that is known without writing.
    pub(crate) fn unwritable() -> Option<io::Error> {
        if STDOUT_WAS_CLOSED.load(Ordering::Relaxed) {
            return Some(io::Error::other("it is closed"));
        }
        match fcntl(io::stdout(), FcntlArg::F_GETFL) {
            Err(error) => Some(error.into()),
            Ok(flags) => (OFlag::from_bits_truncate(flags) & OFlag::O_ACCMODE == OFlag::O_RDONLY)
                .then(|| io::Error::other("it is open for reading only")),
        }
    }

    /// Standard output without a buffer, and with every error that the system reports.
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
pub(crate) use elsewhere::{AsDescriptor, fill, unwritable};
#[cfg(not(unix))]
use elsewhere::{io_output, wait_for_room};

#[cfg(not(unix))]
mod elsewhere {
    use std::io;

    pub(crate) trait AsDescriptor {}
    impl<T> AsDescriptor for T {}

    pub(crate) fn fill() {}

    pub(crate) fn unwritable() -> Option<io::Error> {
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
