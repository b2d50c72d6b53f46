//! How far a call is.

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::{Arc, Mutex, PoisonError};

use gptimage_core::{Phase, Progress};

use crate::callback::{CallbackThread, UserData};

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

/// Entry look at a call on its way.
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
    /// The id that the attempt is sent with, as X-Client-Request-Id. Known before its first byte leaves. Never NULL; it lives
    /// as long as the callback runs.
    pub client_request_id: *const c_char,
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

impl gptimage_progress_t {
    fn new(progress: &Progress, client_request_id: &CStr) -> Self {
        let pause = progress.pause.map(|pause| i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
        Self {
            attempt: progress.attempt,
            max_attempts: progress.max_attempts,
            phase: phase(progress.phase),
            pause_ms: pause.unwrap_or(-1),
            bytes_sent: progress.bytes_sent,
            bytes_total: progress.bytes_total,
            bytes_received: progress.bytes_received,
            client_request_id: client_request_id.as_ptr(),
        }
    }
}

/// Called on the thread "gptimage-calls" whenever a call's progress changes, at most twenty times a second for each call, and
/// once for each attempt before it sends anything.
/// `progress` lives as long as the callback runs. It may call any function of the library but those that wait for a call.
pub type gptimage_progress_callback_t =
    Option<unsafe extern "C" fn(progress: *const gptimage_progress_t, user_data: *mut c_void)>;

/// Whom to tell of progress.
#[derive(Clone)]
pub(crate) struct ProgressCallback {
    pub(crate) callback: unsafe extern "C" fn(progress: *const gptimage_progress_t, user_data: *mut c_void),
    pub(crate) user_data: UserData,
    pub(crate) owner: u64,
    pub(crate) callbacks: CallbackThread,
    /// What it was not reported yet, the oldest first.
    queue: Arc<Mutex<VecDeque<Progress>>>,
}

impl ProgressCallback {
    pub(crate) fn new(
        callbacks: &CallbackThread,
        callback: unsafe extern "C" fn(progress: *const gptimage_progress_t, user_data: *mut c_void),
        user_data: UserData,
    ) -> Self {
        Self { callback, user_data, owner: callbacks.register(), callbacks: callbacks.clone(), queue: Arc::default() }
    }

    /// Tells it, as soon as it is done with what it was reported before. What is older gives way, unless it is a pause or an end.
    pub(crate) fn notify(&self, progress: &Progress) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let outdated = |reported: &Progress| reported.pause.is_none() && reported.phase != Phase::Stored;
        let waits = !queue.is_empty();
        if queue.back().is_some_and(outdated) {
            queue.pop_back();
        }
        queue.push_back(progress.clone());
        drop(queue);
        if !waits {
            self.clone().schedule();
        }
    }

    /// Lets one look be reported, and the next after it: whoever is replaced in between is not called any more.
    fn schedule(self) {
        self.callbacks.clone().call(self.owner, move || {
            let next = |queue: &Mutex<VecDeque<_>>| queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(progress) = next(&self.queue) else { return };
            // Ids are of our making and hold no NUL.
            let id = CString::new(progress.client_request_id.as_str()).unwrap_or_default();
            let reported = gptimage_progress_t::new(&progress, &id);
            // SAFETY: the host's own function, with the pointer that came with it; the first argument and its text outlive the call.
            unsafe { (self.callback)(&raw const reported, self.user_data.pointer()) };
            if !self.queue.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                self.schedule();
            }
        });
    }
}
