//! The host's log callback and its levels.

use std::ffi::{c_char, c_void};

use crate::callback::{CallbackThread, UserData};

/// The severity of a log line. Lines that are less severe than the requested level are not created.
pub type gptimage_log_level_t = i32;

/// Something was lost.
pub const GPTIMAGE_LOG_LEVEL_ERROR: gptimage_log_level_t = 1;
/// Something may be lost, or may be charged without a result.
pub const GPTIMAGE_LOG_LEVEL_WARN: gptimage_log_level_t = 2;
/// An attempt is about to be sent, with its client request id, or something is retried.
pub const GPTIMAGE_LOG_LEVEL_INFO: gptimage_log_level_t = 3;
/// Every result, with payloads as sizes and hashes.
pub const GPTIMAGE_LOG_LEVEL_DEBUG: gptimage_log_level_t = 4;

/// Called on the thread "gptimage-calls" for each log line. `message` is one line without prompts, images or keys; it
/// is valid until the callback returns. The callback may call any function of the library except those that wait for a
/// call.
pub type gptimage_log_callback_t =
    Option<unsafe extern "C" fn(level: gptimage_log_level_t, message: *const c_char, user_data: *mut c_void)>;

/// The host's log callback.
pub(crate) struct LogCallback {
    pub(crate) level: gptimage_log_level_t,
    pub(crate) callback:
        unsafe extern "C" fn(level: gptimage_log_level_t, message: *const c_char, user_data: *mut c_void),
    pub(crate) user_data: UserData,
    pub(crate) owner: u64,
    pub(crate) callbacks: CallbackThread,
}
