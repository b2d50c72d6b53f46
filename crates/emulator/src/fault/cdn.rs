//! A fault of one or more downloads.

use std::time::Duration;

use bytes::Bytes;

use super::queue::QueuedFault;
use super::{Cut, RawAnswer};

/// A fault of a download. Default: strikes once, at the next GET.
///
/// ```
/// use gptimage_emulator::{CdnFault, Cut};
///
/// let late = CdnFault::not_found(2);
/// let flaky = CdnFault::cut(1000, Cut::Rst).times(2);
/// # let _ = (late, flaky);
/// ```
///
/// It can also be read from JSON, in the form that the control interface takes inside `{"cdn": …}`:
///
/// ```
/// # use gptimage_emulator::CdnFault;
/// let late: CdnFault = serde_json::from_str(r#"{"status": 404, "times": 2}"#)?;
/// # let _ = late;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a fault does nothing until an emulator gets it"]
pub struct CdnFault {
    remaining: Option<u32>,
    pub(crate) action: CdnAction,
    pub(crate) cut: Option<(u64, Cut)>,
    pub(crate) pauses: Vec<(u64, Duration)>,
    pub(crate) raw: Option<RawAnswer>,
}

/// The action of the CDN for a download.
#[derive(Debug, Clone)]
pub(crate) enum CdnAction {
    /// Serves the image; the fault only cuts or slows the response.
    Serve,
    /// Answers with this status and a page.
    Status(u16),
    /// Answers 302 to this address.
    Redirect(String),
    /// Answers 200 with these bytes, as if they were the image.
    Body(Bytes),
    /// Serves the whole image with 200, whatever `Range` asks.
    IgnoreRange,
    /// Answers a `Range` with 206 and a different range, which starts this many bytes later.
    WrongRange(u64),
}

impl CdnFault {
    pub(super) fn new(action: CdnAction) -> Self {
        Self { remaining: Some(1), action, cut: None, pauses: Vec::new(), raw: None }
    }

    /// The next `times` downloads answer 404, as just after generation.
    pub fn not_found(times: u32) -> Self {
        Self::status(404).times(times)
    }

    /// Answers with this status and an HTML page.
    pub fn status(status: u16) -> Self {
        Self::new(CdnAction::Status(status))
    }

    /// Answers 302 to this address.
    pub fn redirect(url: impl Into<String>) -> Self {
        Self::new(CdnAction::Redirect(url.into()))
    }

    /// Answers 200 with these bytes, labelled as the picture that was asked for.
    pub fn body(body: impl Into<Bytes>) -> Self {
        Self::new(CdnAction::Body(body.into()))
    }

    /// Cuts after `offset` bytes of the response, head included.
    pub fn cut(offset: u64, cut: Cut) -> Self {
        Self { cut: Some((offset, cut)), ..Self::new(CdnAction::Serve) }
    }

    /// Stops sending for `pause` after `offset` bytes of the response, head included.
    pub fn pause(offset: u64, pause: Duration) -> Self {
        Self { pauses: vec![(offset, pause)], ..Self::new(CdnAction::Serve) }
    }

    /// Serves the whole picture with 200, whatever `Range` asks.
    pub fn ignore_range() -> Self {
        Self::new(CdnAction::IgnoreRange)
    }

    /// Answers a `Range` with 206, but with bytes that start `shift` later than asked, and says so.
    pub fn wrong_range(shift: u64) -> Self {
        Self::new(CdnAction::WrongRange(shift))
    }

    /// Sends exactly these bytes in place of the response, then ends the connection.
    pub fn raw(response: impl Into<Bytes>) -> Self {
        let raw = RawAnswer { bytes: response.into(), repeated: None };
        Self { raw: Some(raw), ..Self::new(CdnAction::Serve) }
    }

    /// Sends `response`, then `repeated` again and again until the peer leaves: an endless download.
    pub fn raw_endless(response: impl Into<Bytes>, repeated: impl Into<Bytes>) -> Self {
        let raw = RawAnswer { bytes: response.into(), repeated: Some(repeated.into()) };
        Self { raw: Some(raw), ..Self::new(CdnAction::Serve) }
    }

    /// Strikes this many downloads.
    pub fn times(mut self, times: u32) -> Self {
        self.remaining = Some(times);
        self
    }

    /// Strikes every download.
    pub fn always(mut self) -> Self {
        self.remaining = None;
        self
    }
}

impl QueuedFault for CdnFault {
    type Trigger<'a> = ();

    fn matches(&self, (): ()) -> bool {
        self.remaining != Some(0)
    }

    fn use_once(&mut self) -> bool {
        match &mut self.remaining {
            None => true,
            Some(remaining) => {
                *remaining = remaining.saturating_sub(1);
                *remaining > 0
            }
        }
    }
}
