//! The decision table: what an attempt's end means for money, and whether another one may follow.
//!
//! Pure. The clock and the dice are passed in.

use std::time::{Duration, SystemTime};

use crate::error::{Charge, ErrorKind};
use crate::wire::{ErrorBody, Stated};

/// How far an attempt came, as far as money is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reached {
    /// The transport did not take the whole body: no server has the whole request.
    Unsent,
    /// It did: a server can have it.
    Sent,
    /// A 2xx head came.
    Accepted,
    /// The answer's body came, and it says where a picture is.
    Located,
}

/// How an attempt ended without pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Name lookup, TCP, TLS or the proxy's CONNECT failed.
    NotConnected,
    /// The same, and it would end so again until somebody changes something: a certificate that is not trusted, a proxy's
    /// password.
    Barred,
    /// Connection lost, reset, broken, or one of our phase timers ran out, before a whole head came.
    Lost,
    /// The caller's deadline passed.
    Deadline,
    /// The caller cancelled.
    Cancelled,
    /// A local input could not be sent.
    Input,
    /// An answer other than 2xx.
    Answered { status: u16, body: ErrorBody },
    /// A 2xx that cannot be used.
    Unusable(Unusable),
    /// A picture is at its URL and could not be fetched.
    Download,
    /// A picture came and could not be written.
    Storage,
}

/// Why a 2xx cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// Its body was cut, broken, or held something that is no picture.
    Damaged,
    /// It was read whole, and holds an error, a task or nothing, or is no answer of an image API.
    Empty,
}

/// What follows from an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) kind: ErrorKind,
    pub(crate) charge: Charge,
    pub(crate) vendor_says_free: bool,
    pub(crate) retry: bool,
}

impl Verdict {
    const fn new(kind: ErrorKind, charge: Charge, retry: bool) -> Self {
        Self { kind, charge, vendor_says_free: false, retry }
    }
}

/// Judges the end of an attempt that came this far. A `stated` price above nothing is believed, whatever else the server says;
/// one that cannot be read may be one.
pub(crate) fn decide(end: &End, reached: Reached, stated: Stated, retry_server_errors: bool) -> Verdict {
    use Charge::{Charged, NotCharged, Unknown};

    let whole = reached != Reached::Unsent;
    match end {
        // Row 1. Nothing is pulled before the connection stands; if it was all the same, nothing is proved.
        End::NotConnected | End::Lost if !whole => Verdict::new(ErrorKind::Connection, NotCharged, true),
        End::Barred if !whole => Verdict::new(ErrorKind::Connection, NotCharged, false),
        // Rows 1 (impossible, and then no proof) and 7.
        End::NotConnected | End::Barred | End::Lost => Verdict::new(ErrorKind::OutcomeUnknown, Unknown, false),
        // Row 8, its harmless half, and what a deadline cuts off once the answer is coming.
        End::Deadline => match reached {
            Reached::Unsent => Verdict::new(ErrorKind::Connection, NotCharged, false),
            Reached::Sent => Verdict::new(ErrorKind::OutcomeUnknown, Unknown, false),
            Reached::Accepted => Verdict::new(ErrorKind::ResponseInvalid, Charged, false),
            Reached::Located => Verdict::new(ErrorKind::DownloadFailed, Charged, false),
        },
        End::Cancelled => match reached {
            Reached::Unsent => Verdict::new(ErrorKind::Cancelled, NotCharged, false),
            Reached::Sent => Verdict::new(ErrorKind::Cancelled, Unknown, false),
            Reached::Accepted | Reached::Located => Verdict::new(ErrorKind::Cancelled, Charged, false),
        },
        End::Input => Verdict::new(ErrorKind::Io, if whole { Unknown } else { NotCharged }, false),
        End::Answered { status, body } => {
            let verdict = answered(*status, body, whole, retry_server_errors);
            match stated {
                Stated::Nothing => verdict,
                Stated::Positive => Verdict::new(verdict.kind, Charged, false),
                Stated::Unreadable => Verdict::new(verdict.kind, Unknown, false),
            }
        }
        // Row 9.
        End::Unusable(Unusable::Empty) if stated != Stated::Positive => {
            Verdict::new(ErrorKind::ResponseInvalid, Unknown, false)
        }
        End::Unusable(_) => Verdict::new(ErrorKind::ResponseInvalid, Charged, false),
        // Row 10.
        End::Download => Verdict::new(ErrorKind::DownloadFailed, Charged, false),
        End::Storage => Verdict::new(ErrorKind::Io, Charged, false),
    }
}

fn answered(status: u16, body: &ErrorBody, whole: bool, retry_server_errors: bool) -> Verdict {
    use Charge::{NotCharged, Unknown};

    let refused = |kind| Verdict::new(kind, NotCharged, false);
    match status {
        // Row 4: no money is left, and waiting brings none.
        429 if body.out_of_credits && !body.limit_passes => refused(ErrorKind::InsufficientCredits),
        // Row 3.
        429 => Verdict::new(ErrorKind::RateLimited, NotCharged, true),
        // Row 6, of the 4xx.
        408 | 499 if whole => Verdict::new(ErrorKind::OutcomeUnknown, Unknown, false),
        // Row 2: an answer of no meaning that came before the request was whole.
        408 | 499 => Verdict::new(ErrorKind::Connection, NotCharged, true),
        // Row 4.
        402 => refused(ErrorKind::InsufficientCredits),
        401 | 403 if body.out_of_credits => refused(ErrorKind::InsufficientCredits),
        401 => refused(ErrorKind::Authentication),
        400..=499 if body.moderation => refused(ErrorKind::ModerationBlocked),
        400..=499 if body.out_of_credits => refused(ErrorKind::InsufficientCredits),
        403 => refused(ErrorKind::PermissionDenied),
        404 => refused(ErrorKind::NotFound),
        400..=499 => refused(ErrorKind::BadRequest),
        // Row 2 again.
        _ if !whole => Verdict::new(ErrorKind::Connection, NotCharged, true),
        // Row 5.
        500 | 502 | 503 | 504 if body.vendor_envelope => {
            Verdict { vendor_says_free: true, ..Verdict::new(ErrorKind::Server, Unknown, retry_server_errors) }
        }
        // Row 6.
        _ => Verdict::new(ErrorKind::OutcomeUnknown, Unknown, false),
    }
}

/// The time that `Retry-After` asks for: seconds, or a date compared with `now`. Nonsense is no wish.
pub(crate) fn parse_retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// How long to sleep before the attempt that follows `attempts` of them: full jitter below an exponential bound, but
/// not less than the server asks for. `dice` is in 0..1.
pub(crate) fn wait(
    attempts: u32,
    first: Duration,
    longest: Duration,
    retry_after: Option<Duration>,
    dice: f64,
) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let bound = first.saturating_mul(doubled).min(longest);
    bound.mul_f64(dice.clamp(0.0, 1.0)).max(retry_after.unwrap_or_default())
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
