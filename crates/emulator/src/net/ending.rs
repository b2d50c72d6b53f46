//! The ways to end a connection once it was taken from the HTTP library.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use bytes::BytesMut;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::fault::{Cut, RawAnswer};

/// Maximum time that a graceful end waits for the peer to close.
pub(crate) const LINGER: Duration = Duration::from_secs(10);
const READ_SIZE: usize = 64 * 1024;

/// Ends a connection in the given way.
pub(crate) async fn cut(socket: &TcpStream, cut: Cut) {
    match cut {
        Cut::Fin => {
            half_close(socket);
            discard(socket).await;
        }
        Cut::Rst => reset(socket),
        Cut::Silence => until_gone(socket).await,
    }
}

/// Sends raw bytes in place of a response, then ends gracefully.
pub(crate) async fn raw(socket: &TcpStream, answer: &RawAnswer) -> io::Result<()> {
    write_all(socket, &answer.bytes).await?;
    if let Some(repeated) = answer.repeated.as_ref().filter(|bytes| !bytes.is_empty()) {
        loop {
            write_all(socket, repeated).await?;
        }
    }
    Ok(())
}

/// Makes closing the socket send a reset.
pub(crate) fn reset(socket: &TcpStream) {
    // An error means that the peer has already disconnected.
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}

/// Closes the sending side.
pub(crate) fn half_close(socket: &TcpStream) {
    // An error means that the peer has already disconnected.
    let _ = SockRef::from(socket).shutdown(Shutdown::Write);
}

/// Reads and drops incoming bytes for a bounded time: with unread bytes, closing would send a reset.
pub(crate) async fn discard(socket: &TcpStream) {
    let drain = async {
        let mut inbox = BytesMut::with_capacity(READ_SIZE);
        while matches!(read(socket, &mut inbox, READ_SIZE).await, Ok(1..)) {
            inbox.clear();
        }
    };
    // A timeout ends it as well.
    let _ = tokio::time::timeout(LINGER, drain).await;
}

/// Waits, reading nothing, until the peer has ended or reset the connection.
async fn until_gone(socket: &TcpStream) {
    while let Ok(ready) = socket.ready(Interest::READABLE).await {
        if ready.is_read_closed() {
            return;
        }
        // Clears the cached readiness, so that the next wait is for something new.
        let _ = socket.try_io(Interest::READABLE, || -> io::Result<()> { Err(io::ErrorKind::WouldBlock.into()) });
    }
}

pub(crate) async fn write_all(socket: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        socket.writable().await?;
        match socket.try_write(bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Appends at most `limit` bytes to `inbox`. Returns 0 at the end of input.
pub(crate) async fn read(socket: &TcpStream, inbox: &mut BytesMut, limit: usize) -> io::Result<usize> {
    use bytes::BufMut;
    loop {
        socket.readable().await?;
        inbox.reserve(limit.min(READ_SIZE));
        match socket.try_read_buf(&mut (&mut *inbox).limit(limit)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}
