//! The status numbers.

use std::ffi::{CStr, c_char};

use gptimage_core::ErrorKind;

/// The status that a function returns: 0, or the kind of the failure. A number never changes its meaning and is never
/// reused.
pub type gptimage_status_t = i32;

/// Success.
pub const GPTIMAGE_STATUS_OK: gptimage_status_t = 0;
/// An invalid argument: NULL, text that is not UTF-8, or an index out of range.
pub const GPTIMAGE_STATUS_INVALID_ARGUMENT: gptimage_status_t = 1;
/// The request violates rules, which the error lists. Nothing was sent.
pub const GPTIMAGE_STATUS_INVALID_REQUEST: gptimage_status_t = 2;
/// A key, URL, header, proxy or trust store that cannot be used.
pub const GPTIMAGE_STATUS_CONFIG: gptimage_status_t = 3;
/// A local file cannot be read or written. An existing output file is refused before anything is sent.
pub const GPTIMAGE_STATUS_IO: gptimage_status_t = 4;
/// A job that has not ended yet.
pub const GPTIMAGE_STATUS_PENDING: gptimage_status_t = 5;
/// The request was provably not delivered completely: nothing was charged.
pub const GPTIMAGE_STATUS_CONNECTION: gptimage_status_t = 10;
/// The request was sent completely and no conclusive response was received: it may have been charged.
pub const GPTIMAGE_STATUS_OUTCOME_UNKNOWN: gptimage_status_t = 11;
/// Cancelled by a token or by gptimage_job_cancel().
pub const GPTIMAGE_STATUS_CANCELLED: gptimage_status_t = 12;
/// A 4xx status that no other status names.
pub const GPTIMAGE_STATUS_BAD_REQUEST: gptimage_status_t = 20;
/// 401: the key is missing or invalid.
pub const GPTIMAGE_STATUS_AUTHENTICATION: gptimage_status_t = 21;
/// 403: the key is not allowed to do this.
pub const GPTIMAGE_STATUS_PERMISSION_DENIED: gptimage_status_t = 22;
/// 402, or a refusal that says so: the account has no credits left.
pub const GPTIMAGE_STATUS_INSUFFICIENT_CREDITS: gptimage_status_t = 23;
/// 404: no such route or model.
pub const GPTIMAGE_STATUS_NOT_FOUND: gptimage_status_t = 24;
/// Moderation refused the prompt or an image.
pub const GPTIMAGE_STATUS_MODERATION_BLOCKED: gptimage_status_t = 25;
/// 429: too many requests.
pub const GPTIMAGE_STATUS_RATE_LIMITED: gptimage_status_t = 26;
/// A 5xx in the gateway's own error format. Documented as unbilled; the charge stays "unknown".
pub const GPTIMAGE_STATUS_SERVER: gptimage_status_t = 27;
/// A successful response that cannot be used. It was charged, or may have been.
pub const GPTIMAGE_STATUS_RESPONSE_INVALID: gptimage_status_t = 30;
/// The image was paid for and is at its URL, but could not be downloaded.
pub const GPTIMAGE_STATUS_DOWNLOAD_FAILED: gptimage_status_t = 31;
/// The budget does not allow the call.
pub const GPTIMAGE_STATUS_BUDGET_EXCEEDED: gptimage_status_t = 40;
/// A bug in the library.
pub const GPTIMAGE_STATUS_INTERNAL: gptimage_status_t = 99;

macro_rules! same_as_core {
    ($($status:ident = $kind:ident),+ $(,)?) => {
        // Fails to compile if a number differs from core's.
        $( const _: () = assert!($status == ErrorKind::$kind.number()); )+
    };
}

same_as_core! {
    GPTIMAGE_STATUS_INVALID_REQUEST = InvalidRequest,
    GPTIMAGE_STATUS_CONFIG = Config,
    GPTIMAGE_STATUS_IO = Io,
    GPTIMAGE_STATUS_CONNECTION = Connection,
    GPTIMAGE_STATUS_OUTCOME_UNKNOWN = OutcomeUnknown,
    GPTIMAGE_STATUS_CANCELLED = Cancelled,
    GPTIMAGE_STATUS_BAD_REQUEST = BadRequest,
    GPTIMAGE_STATUS_AUTHENTICATION = Authentication,
    GPTIMAGE_STATUS_PERMISSION_DENIED = PermissionDenied,
    GPTIMAGE_STATUS_INSUFFICIENT_CREDITS = InsufficientCredits,
    GPTIMAGE_STATUS_NOT_FOUND = NotFound,
    GPTIMAGE_STATUS_MODERATION_BLOCKED = ModerationBlocked,
    GPTIMAGE_STATUS_RATE_LIMITED = RateLimited,
    GPTIMAGE_STATUS_SERVER = Server,
    GPTIMAGE_STATUS_RESPONSE_INVALID = ResponseInvalid,
    GPTIMAGE_STATUS_DOWNLOAD_FAILED = DownloadFailed,
    GPTIMAGE_STATUS_BUDGET_EXCEEDED = BudgetExceeded,
    GPTIMAGE_STATUS_INTERNAL = Internal,
}

/// Returns the stable name of a status, such as "rate_limited"; "ok" for 0, "unknown_status" for an unknown number.
/// Static: do not free.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_status_name(status: gptimage_status_t) -> *const c_char {
    name(status).as_ptr()
}

pub(crate) fn name(status: gptimage_status_t) -> &'static CStr {
    match status {
        GPTIMAGE_STATUS_OK => c"ok",
        GPTIMAGE_STATUS_INVALID_ARGUMENT => c"invalid_argument",
        GPTIMAGE_STATUS_INVALID_REQUEST => c"invalid_request",
        GPTIMAGE_STATUS_CONFIG => c"config",
        GPTIMAGE_STATUS_IO => c"io",
        GPTIMAGE_STATUS_PENDING => c"pending",
        GPTIMAGE_STATUS_CONNECTION => c"connection",
        GPTIMAGE_STATUS_OUTCOME_UNKNOWN => c"outcome_unknown",
        GPTIMAGE_STATUS_CANCELLED => c"cancelled",
        GPTIMAGE_STATUS_BAD_REQUEST => c"bad_request",
        GPTIMAGE_STATUS_AUTHENTICATION => c"authentication",
        GPTIMAGE_STATUS_PERMISSION_DENIED => c"permission_denied",
        GPTIMAGE_STATUS_INSUFFICIENT_CREDITS => c"insufficient_credits",
        GPTIMAGE_STATUS_NOT_FOUND => c"not_found",
        GPTIMAGE_STATUS_MODERATION_BLOCKED => c"moderation_blocked",
        GPTIMAGE_STATUS_RATE_LIMITED => c"rate_limited",
        GPTIMAGE_STATUS_SERVER => c"server",
        GPTIMAGE_STATUS_RESPONSE_INVALID => c"response_invalid",
        GPTIMAGE_STATUS_DOWNLOAD_FAILED => c"download_failed",
        GPTIMAGE_STATUS_BUDGET_EXCEEDED => c"budget_exceeded",
        GPTIMAGE_STATUS_INTERNAL => c"internal",
        _ => c"unknown_status",
    }
}
