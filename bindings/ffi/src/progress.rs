//! How far a call is.

use std::ffi::c_void;

use gptimage_core::{Phase, Progress};

use crate::callback::{Callbacks, UserData};

/// How far an attempt is. It only goes forward.
pub type gptimage_phase_t = i32;

/// Nothing was done yet.
pub const GPTIMAGE_PHASE_PLANNED: gptimage_phase_t = 0;
/// Name lookup, TCP, TLS, proxy.
pub const GPTIMAGE_PHASE_CONNECTING: gptimage_phase_t = 1;
/// The transport is taking the request's body.
pub const GPTIMAGE_PHASE_SENDING: gptimage_phase_t = 2;
/// The transport took the body whole: from here on the call may be paid.
pub const GPTIMAGE_PHASE_SENT: gptimage_phase_t = 3;
/// Status and headers of the answer came.
pub const GPTIMAGE_PHASE_HEAD_RECEIVED: gptimage_phase_t = 4;
/// The answer's body came whole.
pub const GPTIMAGE_PHASE_BODY_COMPLETE: gptimage_phase_t = 5;
/// The pictures are where they were asked to be.
pub const GPTIMAGE_PHASE_STORED: gptimage_phase_t = 6;

/// One look at a call on its way.
#[repr(C)]
pub struct gptimage_progress_t {
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Most attempts that the call may take.
    pub max_attempts: u32,
    /// How far the attempt is.
    pub phase: gptimage_phase_t,
    /// Set between two attempts: how long the pause is, in milliseconds; else -1.
    pub pause_ms: i64,
    /// Bytes of the request's body that the transport took.
    pub bytes_sent: u64,
    /// Length of the request's body in bytes.
    pub bytes_total: u64,
    /// Bytes that came, of the answer and of downloads.
    pub bytes_received: u64,
}

pub(crate) fn phase(phase: Phase) -> gptimage_phase_t {
    match phase {
        Phase::Connecting => GPTIMAGE_PHASE_CONNECTING,
        Phase::Sending => GPTIMAGE_PHASE_SENDING,
        Phase::Sent => GPTIMAGE_PHASE_SENT,
        Phase::HeadReceived => GPTIMAGE_PHASE_HEAD_RECEIVED,
        Phase::BodyComplete => GPTIMAGE_PHASE_BODY_COMPLETE,
        Phase::Stored => GPTIMAGE_PHASE_STORED,
        _ => GPTIMAGE_PHASE_PLANNED,
    }
}

impl From<&Progress> for gptimage_progress_t {
    fn from(progress: &Progress) -> Self {
        let pause = progress.pause.map(|pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
        Self {
            attempt: progress.attempt,
            max_attempts: progress.max_attempts,
            phase: phase(progress.phase),
            pause_ms: pause.unwrap_or(-1),
            bytes_sent: progress.bytes_sent,
            bytes_total: progress.bytes_total,
            bytes_received: progress.bytes_received,
        }
    }
}

/// Called on the thread "gptimage-calls" whenever a call's progress changes, at most twenty times a second for each call.
/// `progress` lives as long as the callback runs. It may call any function of the library but those that wait for a call.
pub type gptimage_progress_callback_t =
    Option<unsafe extern "C" fn(progress: *const gptimage_progress_t, user_data: *mut c_void)>;

/// Whom to tell of progress.
#[derive(Clone)]
pub(crate) struct Listener {
    pub(crate) callback: unsafe extern "C" fn(progress: *const gptimage_progress_t, user_data: *mut c_void),
    pub(crate) user_data: UserData,
    pub(crate) owner: u64,
    pub(crate) callbacks: Callbacks,
}

impl Listener {
    /// Tells it, unless it is still busy with what it was told before.
    pub(crate) fn tell(&self, progress: &Progress) {
        let ended = progress.phase == Phase::Stored;
        if !ended && self.callbacks.is_waiting(self.owner) {
            return;
        }
        let (told, callback, user_data) = (gptimage_progress_t::from(progress), self.callback, self.user_data);
        self.callbacks.call_if_idle(self.owner, move || {
            // SAFETY: the host's own function, with the pointer that came with it; the first argument outlives the call.
            unsafe { callback(&raw const told, user_data.pointer()) };
        });
    }
}
