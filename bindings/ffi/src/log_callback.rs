//! The host's log callback and its levels.

use std::ffi::{c_char, c_void};

use crate::callback::{CallbackThread, UserData};

/// How grave a log line is; those that are less grave than asked for are not made.
pub type gptimage_log_level_t = i32;

/// Something was lost.
pub const GPTIMAGE_LOG_LEVEL_ERROR: gptimage_log_level_t = 1;
/// Something may be lost, or be paid for nothing.
pub const GPTIMAGE_LOG_LEVEL_WARN: gptimage_log_level_t = 2;
/// An attempt is about to be sent, under the id that is named; something is tried again.
pub const GPTIMAGE_LOG_LEVEL_INFO: gptimage_log_level_t = 3;
/// Every result, with payloads as sizes and hashes.
pub const GPTIMAGE_LOG_LEVEL_DEBUG: gptimage_log_level_t = 4;

/// Called on the thread "gptimage-calls". `message` is one line, without prompts, pictures or keys; it lives as long as the
/// callback runs. It may call any function of the library but those that wait for a call.
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
