//! Progress of calls.

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::{Arc, Mutex, PoisonError};

use gptimage_core::{Phase, Progress};

use crate::callback::{CallbackThread, UserData};

/// How far an attempt is. It only moves forward.
pub type gptimage_phase_t = i32;

/// Nothing was done yet.
pub const GPTIMAGE_PHASE_PLANNED: gptimage_phase_t = 0;
/// Connecting: DNS, TCP, TLS, proxy.
pub const GPTIMAGE_PHASE_CONNECTING: gptimage_phase_t = 1;
/// The request body is being sent.
pub const GPTIMAGE_PHASE_SENDING: gptimage_phase_t = 2;
/// The request body was handed to the transport completely: from here on the call may be charged.
pub const GPTIMAGE_PHASE_SENT: gptimage_phase_t = 3;
/// The status and headers of the response were received.
pub const GPTIMAGE_PHASE_HEAD_RECEIVED: gptimage_phase_t = 4;
/// The response body was received completely.
pub const GPTIMAGE_PHASE_BODY_COMPLETE: gptimage_phase_t = 5;
/// The images are stored where requested.
pub const GPTIMAGE_PHASE_STORED: gptimage_phase_t = 6;

/// A snapshot of a call in flight.
#[repr(C)]
pub struct gptimage_progress_t {
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The maximum number of attempts.
    pub max_attempts: u32,
    /// How far the attempt is.
    pub phase: gptimage_phase_t,
    /// The length of the pause in milliseconds, between two attempts; otherwise -1.
    pub pause_ms: i64,
    /// Bytes of the request body that the transport has taken.
    pub bytes_sent: u64,
    /// Length of the request body in bytes.
    pub bytes_total: u64,
    /// Bytes received, of the response and of downloads.
    pub bytes_received: u64,
    /// The id that the attempt is sent with, as X-Client-Request-Id. Known before the first byte is sent. Never NULL;
    /// valid until the callback returns.
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

/// Called on the thread "gptimage-calls" when the progress of a call changes, at most twenty times a second per call,
/// and once per attempt before anything is sent. `progress` is valid until the callback returns. The callback may call
/// any function of the library except those that wait for a call.
pub type gptimage_progress_callback_t =
    Option<unsafe extern "C" fn(progress: *const gptimage_progress_t, user_data: *mut c_void)>;

/// The host's progress callback.
#[derive(Clone)]
pub(crate) struct ProgressCallback {
    pub(crate) callback: unsafe extern "C" fn(progress: *const gptimage_progress_t, user_data: *mut c_void),
    pub(crate) user_data: UserData,
    pub(crate) owner: u64,
    pub(crate) callbacks: CallbackThread,
    /// Snapshots that were not reported yet, oldest first.
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

    /// Queues a snapshot. It replaces the last queued one, unless that is a pause or the end.
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

    /// Queues one report at a time, so that a callback that is replaced meanwhile is not called any more.
    fn schedule(self) {
        self.callbacks.clone().call(self.owner, move || {
            let next = |queue: &Mutex<VecDeque<_>>| queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(progress) = next(&self.queue) else { return };
            // Client request ids contain no NUL.
            let id = CString::new(progress.client_request_id.as_str()).unwrap_or_default();
            let reported = gptimage_progress_t::new(&progress, &id);
            // SAFETY: the host's own function and pointer; the first argument and its text outlive the call.
            unsafe { (self.callback)(&raw const reported, self.user_data.pointer()) };
            if !self.queue.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                self.schedule();
            }
        });
    }
}
