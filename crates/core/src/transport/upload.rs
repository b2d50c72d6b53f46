//! Sends a request body: reads it from its sources chunk by chunk and passes it through the send guard.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::attempt_state::{InputError, SendGuard};
use crate::request::{FileIdentity, Inspected, Source, open_without_waiting};
use crate::text;
use crate::wire::{Body, BodyPart};

/// Size of a chunk, in bytes. Smaller chunks cost measurably more CPU per byte.
const CHUNK: usize = 256 * 1024;

/// The error of an upload whose send guard is closed.
#[derive(Debug, thiserror::Error)]
#[error("the upload was stopped")]
pub(crate) struct Stopped;

/// One transmission of a [`Body`].
#[derive(Debug)]
pub(crate) struct Upload {
    guard: Arc<SendGuard>,
    left: VecDeque<BodyPart>,
    remaining: u64,
    reading: Option<JoinHandle<Result<ReadChunk, InputError>>>,
    open: Option<OpenInput>,
    /// The last chunk. Its memory is reused once the transport has released it.
    spare: Option<Bytes>,
}

#[derive(Debug)]
struct OpenInput {
    file: File,
    name: String,
    identity: FileIdentity,
    remaining: u64,
}

#[derive(Debug)]
struct ReadChunk {
    chunk: Bytes,
    /// The rest of the file. `None` once the file was read and found unchanged.
    input: Option<OpenInput>,
}

impl Upload {
    pub(crate) fn new(body: &Body, guard: Arc<SendGuard>) -> Self {
        Self {
            guard,
            remaining: body.len(),
            left: body.parts.iter().cloned().collect(),
            reading: None,
            open: None,
            spare: None,
        }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, InputError>>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let read = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                let read = read.unwrap_or_else(|error| Err(unreadable("an input", &io::Error::other(error))));
                return Poll::Ready(Some(read.map(|read| {
                    self.open = read.input;
                    self.spare = Some(read.chunk.clone());
                    read.chunk
                })));
            }
            let buffer = |spare: Option<Bytes>| spare.and_then(|spare| spare.try_into_mut().ok()).unwrap_or_default();
            if let Some(input) = self.open.take() {
                let buffer = buffer(self.spare.take());
                self.reading = Some(tokio::task::spawn_blocking(move || read_chunk(input, buffer)));
                continue;
            }
            match self.left.pop_front() {
                None => return Poll::Ready(None),
                Some(
                    BodyPart::Text(mut bytes) | BodyPart::Input(Inspected { source: Source::Bytes(mut bytes), .. }),
                ) => {
                    if bytes.len() > CHUNK {
                        let rest = bytes.split_off(CHUNK);
                        self.left.push_front(BodyPart::Text(rest));
                    }
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Some(BodyPart::Input(Inspected { source: Source::File { path, identity }, name, len, .. })) => {
                    let buffer = buffer(self.spare.take());
                    self.reading =
                        Some(tokio::task::spawn_blocking(move || read_chunk(open(path, name, identity, len)?, buffer)));
                }
            }
        }
    }
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = Stopped;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Stopped>>> {
        self.guard.start();
        match ready!(self.poll_chunk(cx)) {
            None => Poll::Ready(None),
            Some(Ok(chunk)) if self.guard.pass(chunk.len() as u64) => {
                self.remaining -= chunk.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Some(Ok(_)) => Poll::Ready(Some(Err(Stopped))),
            Some(Err(error)) => {
                self.guard.fail(error);
                Poll::Ready(Some(Err(Stopped)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    /// The length is exact, so that the transport states a Content-Length and does not use chunked encoding.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

fn unreadable(name: &str, error: &io::Error) -> InputError {
    InputError::Unreadable { name: name.to_owned(), reason: text::io_reason(error) }
}

fn open(path: PathBuf, name: String, identity: FileIdentity, len: u64) -> Result<OpenInput, InputError> {
    let file = open_without_waiting(&path).map_err(|error| unreadable(&name, &error))?;
    let input = OpenInput { file, name, identity, remaining: len };
    unchanged(&input)?;
    Ok(input)
}

/// Returns an error if the open file is not the one that was inspected, as far as its metadata tells.
fn unchanged(input: &OpenInput) -> Result<(), InputError> {
    let metadata = input.file.metadata().map_err(|error| unreadable(&input.name, &error))?;
    if FileIdentity::of(&metadata) == input.identity { Ok(()) } else { Err(InputError::Changed(input.name.clone())) }
}

/// Reads the next chunk. Before the last chunk of a file is returned, the file is checked for changes again.
fn read_chunk(mut input: OpenInput, mut buffer: BytesMut) -> Result<ReadChunk, InputError> {
    let want = usize::try_from(input.remaining).map_or(CHUNK, |remaining| remaining.min(CHUNK));
    buffer.resize(want, 0);
    input.file.read_exact(&mut buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => InputError::Changed(input.name.clone()),
        _ => unreadable(&input.name, &error),
    })?;
    input.remaining -= want as u64;
    let chunk = buffer.freeze();
    if input.remaining > 0 {
        return Ok(ReadChunk { chunk, input: Some(input) });
    }
    unchanged(&input)?;
    Ok(ReadChunk { chunk, input: None })
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use http_body::Body as _;

    use super::*;

    fn next(upload: &mut Upload) -> Option<Result<usize, Stopped>> {
        match Pin::new(upload).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(frame) => frame.map(|frame| frame.map(|frame| frame.data_ref().map_or(0, Bytes::len))),
            Poll::Pending => panic!("bytes in memory need no waiting"),
        }
    }

    fn upload(len: usize) -> (Upload, Arc<SendGuard>) {
        let parts = vec![BodyPart::Text(vec![0; len].into())];
        let body = Body { content_type: String::new(), parts };
        let guard = Arc::new(SendGuard::new(body.len()));
        (Upload::new(&body, guard.clone()), guard)
    }

    #[test]
    fn a_closed_guard_yields_an_error_and_its_count_is_final() {
        let (mut upload, guard) = upload(3 * CHUNK);
        assert_eq!(upload.size_hint().exact(), Some(3 * CHUNK as u64));
        assert!(matches!(next(&mut upload), Some(Ok(CHUNK))));
        let decision = guard.close_unless_whole();
        assert!(!decision.is_whole() && decision.handed == CHUNK as u64);
        assert!(matches!(next(&mut upload), Some(Err(Stopped))));
        assert!(matches!(next(&mut upload), Some(Err(Stopped))));
        assert_eq!(guard.progress().handed, CHUNK as u64);
    }

    #[test]
    fn a_whole_body_is_not_called_back() {
        let (mut upload, guard) = upload(CHUNK + 1);
        assert!(matches!(next(&mut upload), Some(Ok(CHUNK))));
        assert!(matches!(next(&mut upload), Some(Ok(1))));
        assert!(guard.close_unless_whole().is_whole());
        assert!(next(&mut upload).is_none());
    }
}
