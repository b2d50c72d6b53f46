//! Scripts, their steps and their sources.

use std::ops::Range;
use std::time::Duration;

use gptimage_emulator::{Cut, ErrorForm};

use super::success_form::SuccessForm;

/// What a scripted server does with one connection, step by step. After the last step it ends the connection politely.
///
/// A script is a text, steps separated by `;`, that can be printed, parsed and played again:
///
/// ```
/// use gptimage_torture::scripted::Script;
///
/// let script: Script = "read whole; pause 50ms; send image ..200; cut rst".parse()?;
/// assert_eq!(script.to_string(), "read whole; pause 50ms; send image ..200; cut rst");
/// # Ok::<(), gptimage_torture::scripted::ParseScriptError>(())
/// ```
///
/// | step | |
/// |---|---|
/// | `read 1000` | until so many bytes of the request have arrived, its head included, and not one more |
/// | `read head`, `read whole` | until its head, or all of it, has arrived |
/// | `read end` | until the peer ends its side |
/// | `send SOURCE`, `send SOURCE ..200`, `send SOURCE 200..` | writes these bytes, or a part of them |
/// | `trickle SOURCE by 3 every 5ms` | writes them piece by piece |
/// | `repeat SOURCE` | writes them again and again until the peer leaves |
/// | `pause 50ms` | neither reads nor writes meanwhile |
/// | `mark` | wakes tasks that wait for [`ScriptedServer::marked`](super::ScriptedServer::marked) |
/// | `half-close` | ends this side and goes on |
/// | `cut fin`, `cut rst`, `cut silence` | ends the connection, or leaves it open and dead |
/// | `handshake 300 rst` | only as the first step: TLS is cut after so many bytes of the server's side |
///
/// | source | |
/// |---|---|
/// | `image` | a success that holds the image |
/// | `link` | a success that links to the image |
/// | `picture` | the image itself, as a download; honours `Range` |
/// | `form data-uri` | a success that holds the image in another [`SuccessForm`] than the API's |
/// | `json '{"data":null}'` | a success with another body |
/// | `status 429 documented 'retry-after: 1'` | a failure in one of the forms of [`ErrorForm`], with headers |
/// | `'HTTP/1.1 200 OK\r\n\r\n'` | exactly these bytes: `\r`, `\n`, `\\`, `\'` and `\x00` are escapes |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub(super) steps: Vec<Step>,
}

impl Script {
    /// Creates a script from steps.
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect() }
    }

    /// Returns the steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Reads. Bytes that are not read count as not arrived.
    Read(Until),
    /// Writes a source's bytes in this range.
    Send(Source, Range<u64>),
    /// Writes a source in pieces of this many bytes, with a pause after each.
    Trickle(Source, u64, Duration),
    /// Writes a source again and again until the peer leaves.
    Repeat(Source),
    /// Does nothing for this long.
    Pause(Duration),
    /// Wakes tasks that wait for a mark.
    Mark,
    /// Ends the sending side.
    HalfClose,
    /// Ends the connection.
    Cut(Cut),
    /// Cuts TLS after this many bytes of the server's side of the handshake. Without TLS, cuts at once.
    Handshake(u64, Cut),
}

/// How far a step reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Until {
    /// This many bytes of the request, its head included.
    Bytes(u64),
    /// To the end of the head, and anything that arrived together with it.
    Head,
    /// The whole request.
    Whole,
    /// The end of the peer's input.
    End,
}

/// Bytes to send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A success that holds the image.
    Image,
    /// A success that links to the image.
    Link,
    /// The image itself, as a download.
    Picture,
    /// A success that holds the image in another form.
    Form(SuccessForm),
    /// A success with this body.
    Json(String),
    /// A failure.
    Status {
        /// Its status.
        status: u16,
        /// Its body.
        form: ErrorForm,
        /// Header lines, without line breaks.
        headers: Vec<String>,
    },
    /// Exactly these bytes.
    Raw(Vec<u8>),
}

impl Step {
    /// Returns a step that writes all of a source.
    pub fn send(source: Source) -> Self {
        Self::Send(source, 0..u64::MAX)
    }

    /// Returns a step that writes the beginning of a source.
    pub fn send_first(source: Source, bytes: u64) -> Self {
        Self::Send(source, 0..bytes)
    }
}

impl Source {
    /// Returns a failure with a body of this form and without extra headers.
    pub fn status(status: u16, form: ErrorForm) -> Self {
        Self::Status { status, form, headers: Vec::new() }
    }
}
