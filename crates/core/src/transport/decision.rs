//! The decision table: what the end of an attempt means for its charge, and whether another attempt may follow.
//!
//! The row numbers are those of the table in `docs/charges.md`. A test compares the table with this function.

use crate::attempt_state::SendStage;
use crate::charge::Charge;
use crate::error::ErrorKind;
use crate::wire::{ErrorBody, Stated};

/// How an attempt without a result ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AttemptEnd {
    /// DNS, TCP, TLS or a proxy's CONNECT failed. `permanent` means that it will fail again until the configuration
    /// changes, for example because of an untrusted certificate or a wrong proxy password.
    NotConnected { permanent: bool },
    /// The connection was lost, or a phase timer ran out, before the complete status and headers came.
    Lost,
    /// The caller's deadline passed.
    Deadline,
    /// The caller cancelled.
    Cancelled,
    /// An input file could not be read.
    Input,
    /// A response with a status other than 2xx came.
    Answered { status: u16, body: ErrorBody },
    /// A 2xx response came that cannot be used.
    Unusable(Unusable),
    /// An image could not be downloaded from its URL.
    Download,
    /// An image came but could not be written to its file.
    Storage,
}

/// Why a 2xx response cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// The body was cut, is broken, or contains something that is not an image.
    Damaged,
    /// The body was read completely and contains an error, a task or nothing, or is not a response of an image API.
    NoImages,
}

/// The consequences of an attempt's end: the kind of error, the charge, and whether another attempt may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) kind: ErrorKind,
    pub(crate) charge: Charge,
    pub(crate) vendor_says_free: bool,
    /// Whether another attempt may follow.
    pub(crate) retry: bool,
}

impl Decision {
    const fn new(kind: ErrorKind, charge: Charge, retry: bool) -> Self {
        Self { kind, charge, vendor_says_free: false, retry }
    }
}

/// Decides the consequences of the end of an attempt that came as far as `stage`. A stated price above zero is
/// believed, whatever else the server says; one that cannot be read counts as a possible charge.
pub(crate) fn decide(end: &AttemptEnd, stage: SendStage, stated: Stated, retry_server_errors: bool) -> Decision {
    use Charge::{Charged, NotCharged, Unknown};

    let whole = stage != SendStage::Unsent;
    match end {
        // Row 1: nothing of the body is read before the connection is established. Row 2: the connection was lost
        // before the whole body was sent.
        AttemptEnd::NotConnected { permanent } if !whole => {
            Decision::new(ErrorKind::Connection, NotCharged, !permanent)
        }
        AttemptEnd::Lost if !whole => Decision::new(ErrorKind::Connection, NotCharged, true),
        // Row 7. Without a connection the whole body cannot have been sent. If it was nevertheless, nothing is proved.
        AttemptEnd::NotConnected { .. } | AttemptEnd::Lost => Decision::new(ErrorKind::OutcomeUnknown, Unknown, false),
        // Row 2 before the whole body was sent, row 8 after it, rows 9 and 10 once the response is arriving.
        AttemptEnd::Deadline => match stage {
            SendStage::Unsent => Decision::new(ErrorKind::Connection, NotCharged, false),
            SendStage::Sent => Decision::new(ErrorKind::OutcomeUnknown, Unknown, false),
            SendStage::Accepted => Decision::new(ErrorKind::ResponseInvalid, Charged, false),
            SendStage::Located => Decision::new(ErrorKind::DownloadFailed, Charged, false),
        },
        AttemptEnd::Cancelled => match stage {
            SendStage::Unsent => Decision::new(ErrorKind::Cancelled, NotCharged, false),
            SendStage::Sent => Decision::new(ErrorKind::Cancelled, Unknown, false),
            SendStage::Accepted | SendStage::Located => Decision::new(ErrorKind::Cancelled, Charged, false),
        },
        // Row 2. If the whole body had been sent, nothing would be proved.
        AttemptEnd::Input => Decision::new(ErrorKind::Io, if whole { Unknown } else { NotCharged }, false),
        AttemptEnd::Answered { status, body } => {
            let decision = answered(*status, body, whole, retry_server_errors);
            match stated {
                Stated::Nothing => decision,
                // Row 11.
                Stated::Positive => Decision::new(decision.kind, Charged, false),
                Stated::Unreadable => Decision::new(decision.kind, Unknown, false),
            }
        }
        // Row 9, unless row 11 applies.
        AttemptEnd::Unusable(Unusable::NoImages) if stated != Stated::Positive => {
            Decision::new(ErrorKind::ResponseInvalid, Unknown, false)
        }
        AttemptEnd::Unusable(_) => Decision::new(ErrorKind::ResponseInvalid, Charged, false),
        // Row 10.
        AttemptEnd::Download => Decision::new(ErrorKind::DownloadFailed, Charged, false),
        // Row 9: the image that came is in memory.
        AttemptEnd::Storage => Decision::new(ErrorKind::Io, Charged, false),
    }
}

/// Returns the kind of error for a refused request that is free of charge.
pub(crate) fn refusal_kind(status: u16, body: &ErrorBody) -> ErrorKind {
    answered(status, body, false, false).kind
}

fn answered(status: u16, body: &ErrorBody, whole: bool, retry_server_errors: bool) -> Decision {
    use Charge::{NotCharged, Unknown};

    let refused = |kind| Decision::new(kind, NotCharged, false);
    match status {
        // Row 4: no credits are left, and waiting does not bring any.
        429 if body.out_of_credits && !body.limit_passes => refused(ErrorKind::InsufficientCredits),
        // Row 3.
        429 => Decision::new(ErrorKind::RateLimited, NotCharged, true),
        // Row 6, for 4xx.
        408 | 499 if whole => Decision::new(ErrorKind::OutcomeUnknown, Unknown, false),
        // Row 2: the status came before the whole request was sent, and says nothing about it.
        408 | 499 => Decision::new(ErrorKind::Connection, NotCharged, true),
        // Row 4.
        402 => refused(ErrorKind::InsufficientCredits),
        401 | 403 if body.out_of_credits => refused(ErrorKind::InsufficientCredits),
        401 => refused(ErrorKind::Authentication),
        400..=499 if body.moderation => refused(ErrorKind::ModerationBlocked),
        400..=499 if body.out_of_credits => refused(ErrorKind::InsufficientCredits),
        403 => refused(ErrorKind::PermissionDenied),
        404 => refused(ErrorKind::NotFound),
        400..=499 => refused(ErrorKind::BadRequest),
        // Row 2, for 3xx and 5xx.
        _ if !whole => Decision::new(ErrorKind::Connection, NotCharged, true),
        // Row 5.
        500 | 502 | 503 | 504 if body.vendor_envelope => {
            Decision { vendor_says_free: true, ..Decision::new(ErrorKind::Server, Unknown, retry_server_errors) }
        }
        // Row 6.
        _ => Decision::new(ErrorKind::OutcomeUnknown, Unknown, false),
    }
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
