//! A connection, with or without TLS, and the bare socket below it, where cuts are made.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::authority::Authority;

/// The socket below TLS, with a limit on how many bytes it may write.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Arc<TcpStream>,
    left: u64,
}

/// The connection that a script reads and writes.
#[derive(Debug)]
pub(super) enum Channel {
    Plain(Wire),
    Tls(Box<TlsStream<Wire>>),
}

impl Channel {
    /// Opens a connection. `handshake`: limit on the bytes that TLS may write. Fails if the handshake does not
    /// complete.
    pub(super) async fn open(
        socket: Arc<TcpStream>,
        authority: Option<&Authority>,
        handshake: Option<u64>,
    ) -> io::Result<Self> {
        let wire = Wire { socket, left: handshake.unwrap_or(u64::MAX) };
        match authority {
            None => Ok(Self::Plain(wire)),
            Some(authority) => {
                let mut stream = authority.acceptor().accept(wire).await?;
                stream.flush().await?;
                Ok(Self::Tls(Box::new(stream)))
            }
        }
    }

    /// Reads at most `limit` bytes. Returns none at the end of input.
    pub(super) async fn read(&mut self, limit: usize) -> io::Result<BytesMut> {
        let mut bytes = BytesMut::with_capacity(limit);
        let mut buffer = bytes::BufMut::limit(&mut bytes, limit);
        match self {
            Self::Plain(wire) => wire.read_buf(&mut buffer).await?,
            Self::Tls(stream) => stream.read_buf(&mut buffer).await?,
        };
        Ok(bytes)
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(wire) => wire.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.socket.poll_read_ready(cx))?;
            match self.socket.try_read(buf.initialize_unfilled()) {
                Ok(read) => {
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let allowed = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        loop {
            ready!(self.socket.poll_write_ready(cx))?;
            match self.socket.try_write(buf.get(..allowed).unwrap_or_default()) {
                Ok(written) => {
                    self.left -= written as u64;
                    return Poll::Ready(Ok(written));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: scripts decide how the connection ends.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
