//! Core's `tracing` events for the host's log.

use std::ffi::{c_char, c_void};
use std::sync::{Once, PoisonError};

use gptimage_binding::log::{Listener as Hears, listen};
use tracing::Level;

use crate::boundary::infallible;
use crate::callback::{Callbacks, UserData};
use crate::pointer::c_string;
use crate::process;

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

/// Whom to tell.
pub(crate) struct Listener {
    level: gptimage_log_level_t,
    callback: unsafe extern "C" fn(level: gptimage_log_level_t, message: *const c_char, user_data: *mut c_void),
    user_data: UserData,
    owner: u64,
    callbacks: Callbacks,
}

static INSTALLED: Once = Once::new();

/// Tells `callback` of what the library does, down to `level`; of all clients, in place of the one before. NULL: nobody any
/// more. When it returns, the one before is not running and is never called again (unless it is the one that is calling).
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_set_log_callback(
    level: gptimage_log_level_t,
    callback: gptimage_log_callback_t,
    user_data: *mut c_void,
) {
    infallible((), || {
        // Without threads there are no calls, and nothing to log.
        let Ok(process) = process::current() else { return };
        INSTALLED.call_once(|| listen(ToHost));
        let callbacks = process.callbacks.clone();
        let listener = callback.map(|callback| Listener {
            level,
            callback,
            user_data: UserData::new(user_data),
            owner: callbacks.owner(),
            callbacks,
        });
        let before = std::mem::replace(&mut *process.log.lock().unwrap_or_else(PoisonError::into_inner), listener);
        if let Some(before) = before {
            before.callbacks.retire(before.owner);
        }
    });
}

fn number(level: Level) -> gptimage_log_level_t {
    match level {
        Level::ERROR => GPTIMAGE_LOG_LEVEL_ERROR,
        Level::WARN => GPTIMAGE_LOG_LEVEL_WARN,
        Level::INFO => GPTIMAGE_LOG_LEVEL_INFO,
        Level::DEBUG => GPTIMAGE_LOG_LEVEL_DEBUG,
        Level::TRACE => GPTIMAGE_LOG_LEVEL_DEBUG + 1,
    }
}

struct ToHost;

impl Hears for ToHost {
    fn wants(&self, level: Level) -> bool {
        let Some(process) = process::known() else { return false };
        let listener = process.log.lock().unwrap_or_else(PoisonError::into_inner);
        listener.as_ref().is_some_and(|listener| number(level) <= listener.level)
    }

    fn hear(&self, level: Level, line: String) {
        let Some(process) = process::known() else { return };
        let (level, message) = (number(level), c_string(&line));
        let listener = process.log.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(listener) = listener.as_ref() else { return };
        let (callback, user_data) = (listener.callback, listener.user_data);
        listener.callbacks.call_if_idle(listener.owner, move || {
            // SAFETY: the host's own function, with the pointer that came with it; the message outlives the call.
            unsafe { callback(level, message.as_ptr(), user_data.pointer()) };
        });
    }
}
