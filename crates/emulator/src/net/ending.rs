//! The ways a connection ends once the HTTP library has lost it.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use bytes::BytesMut;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::fault::{Cut, RawAnswer};

/// A polite end waits no longer than this for the peer to leave.
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

/// Sends bytes in place of a response, then ends politely.
pub(crate) async fn raw(socket: &TcpStream, answer: &RawAnswer) -> io::Result<()> {
    write_all(socket, &answer.bytes).await?;
    if let Some(repeated) = answer.repeated.as_ref().filter(|bytes| !bytes.is_empty()) {
        loop {
            write_all(socket, repeated).await?;
        }
    }
    Ok(())
}

/// Lets the socket's close be a reset.
pub(crate) fn reset(socket: &TcpStream) {
    // An error means that the peer was faster.
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}

/// Ends the sending side.
pub(crate) fn half_close(socket: &TcpStream) {
    // An error means that the peer was faster.
    let _ = SockRef::from(socket).shutdown(Shutdown::Write);
}

/// Reads and drops what still comes, so that the close is no reset, for a bounded time.
pub(crate) async fn discard(socket: &TcpStream) {
    let drain = async {
        let mut inbox = BytesMut::with_capacity(READ_SIZE);
        while matches!(read(socket, &mut inbox, READ_SIZE).await, Ok(1..)) {
            inbox.clear();
        }
    };
    // Running out of time ends it as well.
    let _ = tokio::time::timeout(LINGER, drain).await;
}

/// Waits, reading nothing, until the peer has ended or reset the connection.
async fn until_gone(socket: &TcpStream) {
    while let Ok(ready) = socket.ready(Interest::READABLE).await {
        if ready.is_read_closed() {
            return;
        }
        // Forget that bytes are there, so that the next wait is for something new.
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

/// Reads at most `limit` bytes behind what `inbox` holds; 0 at the end.
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
