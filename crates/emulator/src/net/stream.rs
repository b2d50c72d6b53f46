//! The stream below the HTTP library. It sees every request before the library does, counts every byte, and takes the
//! connection away from the library when a fault is due.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::early::answer_early;
use super::ending;
use super::exchange::{Exchange, Note};
use super::registry::Registration;
use super::site::Site;
use super::stop::Stop;
use crate::fault::Cut;
use crate::http1::{HEAD_CAP, HeadParse, RequestHead};
use crate::sync::lock;

const READ_SIZE: usize = 256 * 1024;

/// One connection.
pub(crate) struct FaultStream {
    /// `None` once a fault has taken the connection away.
    socket: Option<Arc<TcpStream>>,
    registration: Option<Registration>,
    site: Arc<dyn Site>,
    /// Passes the plan's note for the current request to the service.
    slot: Arc<Mutex<Option<Note>>>,
    stop: Stop,
    /// Bytes that have not been judged: an incomplete head, or bytes of the next request.
    inbox: BytesMut,
    /// Judged bytes, for the HTTP library to read.
    outbox: Bytes,
    exchange: Option<Exchange>,
    /// The input is not HTTP; the library refuses it.
    opaque: bool,
    pause: Option<Pin<Box<Sleep>>>,
    /// Waker of the reader that waits for the next request while a response is being sent.
    reader: Option<Waker>,
}

impl FaultStream {
    pub(crate) fn new(
        socket: Arc<TcpStream>,
        registration: Registration,
        site: Arc<dyn Site>,
        slot: Arc<Mutex<Option<Note>>>,
        stop: Stop,
    ) -> Self {
        Self {
            socket: Some(socket),
            registration: Some(registration),
            site,
            slot,
            stop,
            inbox: BytesMut::new(),
            outbox: Bytes::new(),
            exchange: None,
            opaque: false,
            pause: None,
            reader: None,
        }
    }

    /// Judges the bytes that have arrived. An error means that the connection was taken away.
    fn judge(&mut self) -> io::Result<()> {
        if self.exchange.as_ref().is_some_and(Exchange::is_over) {
            self.exchange = None;
        }
        if self.opaque {
            self.outbox = self.inbox.split().freeze();
        } else if let Some(exchange) = &mut self.exchange {
            if !exchange.is_whole() && !self.inbox.is_empty() {
                self.outbox = exchange.take(&mut self.inbox);
            }
        } else if !self.inbox.is_empty() {
            self.judge_head()?;
        }
        // The bytes that complete the request are passed to the library before the cut, so that the work is done.
        match self.exchange.as_ref().and_then(Exchange::due_request_cut) {
            Some(cut) if !self.is_whole() || self.outbox.is_empty() => Err(self.take_away(cut)),
            _ => Ok(()),
        }
    }

    fn is_whole(&self) -> bool {
        self.exchange.as_ref().is_some_and(Exchange::is_whole)
    }

    fn judge_head(&mut self) -> io::Result<()> {
        let head = match RequestHead::parse(&self.inbox) {
            HeadParse::Complete(head) => head,
            HeadParse::Partial(_) if self.inbox.len() < HEAD_CAP => return Ok(()),
            HeadParse::Partial(_) | HeadParse::Invalid => {
                self.opaque = true;
                self.outbox = self.inbox.split().freeze();
                return Ok(());
            }
        };
        let mut plan = self.site.plan(&head);
        let early = plan.early.take();
        *lock(&self.slot) = plan.note.take();
        let mut exchange = Exchange::new(&head, plan);
        let mut head_bytes = self.inbox.split_to(head.len);
        if let Some(early) = early {
            let inbox = self.inbox.split();
            return Err(self.hand_over(async move |socket| answer_early(&socket, exchange, inbox, early).await));
        }
        head_bytes.extend_from_slice(&exchange.take(&mut self.inbox));
        self.exchange = Some(exchange);
        self.outbox = head_bytes.freeze();
        Ok(())
    }

    /// Takes the connection away from the HTTP library and ends it in the given way.
    fn take_away(&mut self, cut: Cut) -> io::Error {
        // This connection is done with the call; a handler that is still working holds its own reference.
        self.exchange = None;
        self.hand_over(async move |socket| ending::cut(&socket, cut).await)
    }

    /// Moves the socket to a task of its own. Returns the error to be reported to the HTTP library.
    fn hand_over<F>(&mut self, ending: impl FnOnce(Arc<TcpStream>) -> F) -> io::Error
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.outbox = Bytes::new();
        lock(&self.slot).take();
        if let Some(socket) = self.socket.take() {
            let (ending, stop) = (ending(socket), self.stop.clone());
            tokio::spawn(async move { stop.or(ending).await });
        }
        self.registration = None;
        io::ErrorKind::ConnectionAborted.into()
    }

    /// Reads into the inbox, but not beyond a planned cut.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(socket) = self.socket.clone() else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        };
        let wanted = self.exchange.as_ref().filter(|exchange| !exchange.is_whole()).map_or(u64::MAX, Exchange::wanted);
        let room = if self.is_whole() { HEAD_CAP.saturating_sub(self.inbox.len()) } else { READ_SIZE };
        let limit = usize::try_from(wanted).unwrap_or(usize::MAX).min(room);
        if self.exchange.is_some() {
            // These bytes may belong to the next request, which is judged when this exchange is over.
            self.reader = Some(cx.waker().clone());
        }
        if limit == 0 {
            return Poll::Pending;
        }
        loop {
            ready!(socket.poll_read_ready(cx))?;
            self.inbox.reserve(if self.exchange.is_some() { limit } else { limit.min(8 * 1024) });
            match socket.try_read_buf(&mut (&mut self.inbox).limit(limit)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// Handles the end of input or an error. An incomplete head is recorded, and an incomplete request is not
    /// answered.
    fn input_ended(&mut self) {
        if self.exchange.as_ref().is_some_and(|exchange| !exchange.is_whole()) {
            self.take_away(Cut::Fin);
        }
        if let (None, false, HeadParse::Partial(Some(head))) =
            (&self.exchange, self.opaque, RequestHead::parse(&self.inbox))
        {
            self.site.died_in_head(&head);
        }
        self.inbox.clear();
    }

    /// Delays a write during a pause. Returns how many bytes may be written before the next event.
    fn poll_allowance(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let Some(exchange) = &mut self.exchange else { return Poll::Ready(Ok(u64::MAX)) };
        if let Some(cut) = exchange.due_request_cut() {
            return Poll::Ready(Err(self.take_away(cut)));
        }
        let written = exchange.meter.written();
        if let Some(latency) = exchange.call.as_ref().and_then(|call| call.take_hold()) {
            exchange.pauses.push_front((written, latency));
        }
        while let Some((_, pause)) = exchange.pauses.front().filter(|(offset, _)| *offset <= written).copied() {
            let timer = self.pause.get_or_insert_with(|| Box::pin(sleep(pause)));
            ready!(timer.as_mut().poll(cx));
            self.pause = None;
            exchange.pauses.pop_front();
        }
        if let Some(answer) = exchange.raw.take() {
            let call = exchange.call.take();
            self.exchange = None;
            return Poll::Ready(Err(self.hand_over(async move |socket| {
                if answer.repeated.is_some() {
                    drop(call);
                    // Ends when the peer has left.
                    let _ = ending::raw(&socket, &answer).await;
                    return;
                }
                if ending::raw(&socket, &answer).await.is_ok()
                    && let Some(call) = call
                {
                    call.delivered();
                }
                ending::cut(&socket, Cut::Fin).await;
            })));
        }
        let to_cut = match exchange.response_cut {
            Some((offset, cut)) if offset <= written => return Poll::Ready(Err(self.take_away(cut))),
            Some((offset, _)) => offset - written,
            None => u64::MAX,
        };
        let to_pause = exchange.pauses.front().map_or(u64::MAX, |(offset, _)| offset - written);
        Poll::Ready(Ok(to_cut.min(to_pause)))
    }

    /// Counts written bytes, and ends the exchange with its last byte.
    fn count_written<'a>(&mut self, bytes: impl Iterator<Item = &'a [u8]>) {
        let Some(exchange) = &mut self.exchange else { return };
        bytes.for_each(|bytes| exchange.meter.feed(bytes));
        if exchange.meter.is_complete()
            && let Some(call) = &exchange.call
        {
            call.delivered();
        }
        if let Some((_, cut)) = exchange.response_cut.filter(|(offset, _)| *offset <= exchange.meter.written()) {
            self.take_away(cut);
            return;
        }
        if exchange.is_over() {
            self.exchange = None;
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Arc<TcpStream>>> {
        let Some(socket) = &self.socket else { return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())) };
        ready!(socket.poll_write_ready(cx))?;
        Poll::Ready(Ok(Arc::clone(socket)))
    }
}

impl AsyncRead for FaultStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.outbox.is_empty() {
                let len = this.outbox.len().min(buf.remaining());
                buf.put_slice(this.outbox.get(..len).unwrap_or_default());
                this.outbox.advance(len);
                return Poll::Ready(Ok(()));
            }
            // The lock spans the read and the judging, so that an idle check between the two waits for both.
            let registration = this.registration.take();
            let reading = registration.as_ref().map(Registration::reading);
            let judged = this.judge();
            let filled = match judged {
                Ok(()) if this.outbox.is_empty() => match this.poll_fill(cx) {
                    Poll::Ready(Ok(1..)) => Poll::Ready(this.judge().map(|()| true)),
                    Poll::Ready(Ok(0)) => {
                        this.input_ended();
                        Poll::Ready(Ok(false))
                    }
                    Poll::Ready(Err(error)) => {
                        this.input_ended();
                        Poll::Ready(Err(error))
                    }
                    Poll::Pending => Poll::Pending,
                },
                Ok(()) => Poll::Ready(Ok(true)),
                Err(error) => Poll::Ready(Err(error)),
            };
            drop(reading);
            if this.socket.is_some() {
                if let (Some(registration), Poll::Ready(_)) = (&registration, &filled) {
                    registration.touch();
                }
                this.registration = registration;
            }
            match ready!(filled) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(Ok(())),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for FaultStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            let allowance = ready!(this.poll_allowance(cx))?;
            let socket = ready!(this.poll_write_ready(cx))?;
            let total: u64 = bufs.iter().map(|buf| buf.len() as u64).sum();
            let done = if total <= allowance {
                socket.try_write_vectored(bufs)
            } else {
                let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| buf);
                let len = usize::try_from(allowance).unwrap_or(usize::MAX).min(first.len());
                socket.try_write(first.get(..len).unwrap_or_default())
            };
            match done {
                Ok(written) => {
                    this.count_written(front(bufs, written));
                    return Poll::Ready(Ok(written));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(socket) = &self.socket {
            ending::half_close(socket);
        }
        Poll::Ready(Ok(()))
    }
}

/// Returns the first `len` bytes of `bufs`.
fn front<'a>(bufs: &'a [io::IoSlice<'_>], len: usize) -> impl Iterator<Item = &'a [u8]> {
    let mut left = len;
    bufs.iter().map_while(move |buf| {
        let taken = left.min(buf.len());
        left -= taken;
        buf.get(..taken).filter(|bytes| !bytes.is_empty() || buf.is_empty())
    })
}
