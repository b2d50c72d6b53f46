//! Passes core's `tracing` events to the host's log callback.

use std::ffi::c_void;
use std::sync::{Once, PoisonError};

use gptimage_binding::log::{LogSink, install};
use tracing::Level;

use crate::callback::UserData;
use crate::infallible::infallible;
use crate::log_callback::{
    GPTIMAGE_LOG_LEVEL_DEBUG, GPTIMAGE_LOG_LEVEL_ERROR, GPTIMAGE_LOG_LEVEL_INFO, GPTIMAGE_LOG_LEVEL_WARN, LogCallback,
    gptimage_log_callback_t, gptimage_log_level_t,
};
use crate::pointer::c_string;
use crate::process;

static INSTALLED: Once = Once::new();

/// Sets the log callback for all clients and replaces the previous one. Lines less severe than `level` are not
/// reported. `callback` may be NULL to remove it. When this returns, the previous callback is not running and is never
/// called again, unless it is the caller itself.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_set_log_callback(
    level: gptimage_log_level_t,
    callback: gptimage_log_callback_t,
    user_data: *mut c_void,
) {
    infallible((), || {
        // If threads cannot be started there are no calls, and nothing to log.
        let Ok(process) = process::get_or_start() else { return };
        INSTALLED.call_once(|| install(ToHost));
        let callbacks = process.callbacks.clone();
        let listener = callback.map(|callback| LogCallback {
            level,
            callback,
            user_data: UserData::new(user_data),
            owner: callbacks.register(),
            callbacks,
        });
        let before = std::mem::replace(&mut *process.log.lock().unwrap_or_else(PoisonError::into_inner), listener);
        if let Some(before) = before {
            before.callbacks.unregister(before.owner);
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

impl LogSink for ToHost {
    fn enabled(&self, level: Level) -> bool {
        let Some(process) = process::existing() else { return false };
        let listener = process.log.lock().unwrap_or_else(PoisonError::into_inner);
        listener.as_ref().is_some_and(|listener| number(level) <= listener.level)
    }

    fn write(&self, level: Level, line: String) {
        let Some(process) = process::existing() else { return };
        let (level, message) = (number(level), c_string(&line));
        let listener = process.log.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(listener) = listener.as_ref() else { return };
        let (callback, user_data) = (listener.callback, listener.user_data);
        listener.callbacks.call_unless_full(listener.owner, move || {
            // SAFETY: the host's own function and pointer; the message outlives the call.
            unsafe { callback(level, message.as_ptr(), user_data.pointer()) };
        });
    }
}
