//! The numbers that functions return.

use std::ffi::{CStr, c_char};

use gptimage_core::ErrorKind;

/// What came of a call: 0, or what went wrong. The numbers never change their meaning and are never used again.
pub type gptimage_status_t = i32;

/// Everything went well.
pub const GPTIMAGE_STATUS_OK: gptimage_status_t = 0;
/// An argument that cannot be: NULL, text that is not UTF-8, an index beyond the end.
pub const GPTIMAGE_STATUS_INVALID_ARGUMENT: gptimage_status_t = 1;
/// The rules refused the request; the violations are listed. Nothing was sent.
pub const GPTIMAGE_STATUS_INVALID_REQUEST: gptimage_status_t = 2;
/// A key, URL, header, proxy or trust store that cannot be used.
pub const GPTIMAGE_STATUS_CONFIG: gptimage_status_t = 3;
/// A local file. A target that exists is refused before anything is sent.
pub const GPTIMAGE_STATUS_IO: gptimage_status_t = 4;
/// A job that has not ended yet.
pub const GPTIMAGE_STATUS_PENDING: gptimage_status_t = 5;
/// Provably not delivered whole: nothing was charged.
pub const GPTIMAGE_STATUS_CONNECTION: gptimage_status_t = 10;
/// Sent whole, and no answer came that proves anything: it may be charged.
pub const GPTIMAGE_STATUS_OUTCOME_UNKNOWN: gptimage_status_t = 11;
/// Cancelled by a token or a job's cancel.
pub const GPTIMAGE_STATUS_CANCELLED: gptimage_status_t = 12;
/// Every 4xx that no other status names.
pub const GPTIMAGE_STATUS_BAD_REQUEST: gptimage_status_t = 20;
/// 401: the key is missing or invalid.
pub const GPTIMAGE_STATUS_AUTHENTICATION: gptimage_status_t = 21;
/// 403: the key may not do this.
pub const GPTIMAGE_STATUS_PERMISSION_DENIED: gptimage_status_t = 22;
/// 402, or a refusal that says so: the account is out of credits.
pub const GPTIMAGE_STATUS_INSUFFICIENT_CREDITS: gptimage_status_t = 23;
/// 404: no such route or model.
pub const GPTIMAGE_STATUS_NOT_FOUND: gptimage_status_t = 24;
/// The prompt or an image was refused by moderation.
pub const GPTIMAGE_STATUS_MODERATION_BLOCKED: gptimage_status_t = 25;
/// 429.
pub const GPTIMAGE_STATUS_RATE_LIMITED: gptimage_status_t = 26;
/// 5xx in the vendor's own words, who says that failures are free.
pub const GPTIMAGE_STATUS_SERVER: gptimage_status_t = 27;
/// A success that cannot be used. It was paid for, or may be.
pub const GPTIMAGE_STATUS_RESPONSE_INVALID: gptimage_status_t = 30;
/// The picture was paid for, exists at its URL and could not be fetched.
pub const GPTIMAGE_STATUS_DOWNLOAD_FAILED: gptimage_status_t = 31;
/// The budget does not allow the call.
pub const GPTIMAGE_STATUS_BUDGET_EXCEEDED: gptimage_status_t = 40;
/// A bug of the library.
pub const GPTIMAGE_STATUS_INTERNAL: gptimage_status_t = 99;

macro_rules! as_in_core {
    ($($status:ident = $kind:ident),+ $(,)?) => {
        // The header's numbers are core's, or this does not compile.
        $( const _: () = assert!($status == ErrorKind::$kind.number()); )+
    };
}

as_in_core! {
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

/// The stable name of a status, such as "rate_limited"; "ok" for 0, "unknown_status" for a number that is none. Static:
/// never to be freed.
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
