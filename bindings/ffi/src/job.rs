//! Jobs: calls that run while the host does something else.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use gptimage_binding::{CallSpec, Job, JobState};

use crate::callback::{CallbackThread, UserData};
use crate::client::gptimage_client_t;
use crate::edit_request::gptimage_edit_request_t;
use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::ffi_error::FfiError;
use crate::generate_request::gptimage_generate_request_t;
use crate::generated::gptimage_generated_t;
use crate::infallible::infallible;
use crate::pointer::required;
use crate::process;
use crate::progress::{GPTIMAGE_PHASE_PLANNED, gptimage_phase_t, phase};
use crate::start::{CallResult, start, write_result};
use crate::status::gptimage_status_t;

/// Wait without a time limit.
pub const GPTIMAGE_WAIT_FOREVER: u64 = u64::MAX;

/// A running call. May be shared by any number of threads; one of them gets the result.
pub struct gptimage_job_t {
    job: Job<CallResult>,
    /// The furthest phase so far.
    phase: Mutex<gptimage_phase_t>,
    callback: Option<(CallbackThread, u64)>,
}

/// Called once, on the thread "gptimage-calls", when the job has ended; gptimage_job_wait() then returns without
/// waiting. It may call any function of the library, including gptimage_job_free() for this job, except those that wait
/// for another call.
pub type gptimage_job_callback_t = Option<unsafe extern "C" fn(job: *mut gptimage_job_t, user_data: *mut c_void)>;

/// The pointer that the callback thread passes to the host.
struct JobPointer(*mut gptimage_job_t);

// SAFETY: only passed to the host's function, before the job is freed: freeing it drops the queued callback, or waits for it.
unsafe impl Send for JobPointer {}

impl JobPointer {
    fn pointer(&self) -> *mut gptimage_job_t {
        self.0
    }
}

fn start_job(
    client: Option<&gptimage_client_t>,
    spec: impl FnOnce() -> Result<CallSpec, FfiError>,
    callback: gptimage_job_callback_t,
    user_data: *mut c_void,
    job_out: Option<&mut MaybeUninit<*mut gptimage_job_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let client = required(client, "client")?;
        let out = required(job_out, "job_out")?;
        let job = start(client.core()?, spec()?, client.listener())?;
        let callbacks = process::get_or_start()?.callbacks.clone();
        let owner = callback.map(|_| (callbacks.clone(), callbacks.register()));
        let job = Box::new(gptimage_job_t { job, phase: Mutex::new(GPTIMAGE_PHASE_PLANNED), callback: owner });
        let job = Box::into_raw(job);
        out.write(job);
        if let Some(callback) = callback {
            arm(job, callback, UserData::new(user_data));
        }
        Ok(())
    })
}

/// Makes the callback thread call the host when the job ends.
fn arm(
    job: *mut gptimage_job_t,
    callback: unsafe extern "C" fn(job: *mut gptimage_job_t, user_data: *mut c_void),
    user_data: UserData,
) {
    // SAFETY: created by `start_job`, or alive because `gptimage_job_free` waits for the callback that calls this.
    let Some(this) = (unsafe { job.as_ref() }) else { return };
    let Some((callbacks, owner)) = this.callback.clone() else { return };
    let pointer = JobPointer(job);
    this.job.set_waker(move || {
        let pointer = pointer;
        callbacks.clone().call(owner, move || {
            // SAFETY: as above: freeing the job drops this callback, or waits until it has returned.
            let Some(this) = (unsafe { pointer.pointer().as_ref() }) else { return };
            if this.update_phase() {
                // SAFETY: the host's own function and pointers.
                unsafe { callback(pointer.pointer(), user_data.pointer()) };
            } else {
                arm(pointer.pointer(), callback, user_data);
            }
        });
    });
}

impl gptimage_job_t {
    /// Updates the phase. Returns whether the job has ended.
    fn update_phase(&self) -> bool {
        // The lock is held over both steps, so that the phase only moves forward.
        let mut furthest = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(progress) = self.job.take_progress() {
            *furthest = phase(progress.phase).max(*furthest);
        }
        drop(furthest);
        self.job.state() != JobState::Running
    }
}

/// Starts making an image and returns at once. `callback` may be NULL. `*job_out` is set before the callback is called.
/// Free the job with gptimage_job_free().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_start_generate(
    client: Option<&gptimage_client_t>,
    request: Option<&gptimage_generate_request_t>,
    callback: gptimage_job_callback_t,
    user_data: *mut c_void,
    job_out: Option<&mut MaybeUninit<*mut gptimage_job_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    start_job(client, || Ok(required(request, "request")?.0.clone()), callback, user_data, job_out, error_out)
}

/// Starts editing images and returns at once. Otherwise like gptimage_client_start_generate().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_start_edit(
    client: Option<&gptimage_client_t>,
    request: Option<&gptimage_edit_request_t>,
    callback: gptimage_job_callback_t,
    user_data: *mut c_void,
    job_out: Option<&mut MaybeUninit<*mut gptimage_job_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    start_job(client, || Ok(required(request, "request")?.0.clone()), callback, user_data, job_out, error_out)
}

/// Waits until the job has ended, for at most `timeout_ms` milliseconds, and takes its result. GPTIMAGE_WAIT_FOREVER
/// waits without limit; 0 only checks. Returns GPTIMAGE_STATUS_PENDING if the job has not ended. The result can be
/// taken once; later calls return GPTIMAGE_STATUS_INVALID_ARGUMENT. If `error_out` is NULL, an error that may have cost
/// something is kept for gptimage_client_collect().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_job_wait(
    job: Option<&gptimage_job_t>,
    timeout_ms: u64,
    generated_out: Option<&mut MaybeUninit<*mut gptimage_generated_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    let reported = error_out.is_some();
    fallible(error_out, || {
        let job = required(job, "job")?;
        let out = required(generated_out, "generated_out")?;
        if !job.job.is_own() {
            return Err(FfiError::config(
                "this job belongs to the process that started it, of which this one is a fork",
            ));
        }
        let limit = (timeout_ms != GPTIMAGE_WAIT_FOREVER).then(|| Duration::from_millis(timeout_ms));
        if !job.job.wait(limit) {
            return Err(FfiError::pending());
        }
        job.update_phase();
        match job.job.take() {
            Some(outcome) => write_result(outcome, out, reported, |outcome| job.job.keep(outcome))?,
            None if job.job.state() == JobState::Lost => return Err(FfiError::lost()),
            None => return Err(FfiError::argument("job", "has given its result already")),
        }
        Ok(())
    })
}

/// Cancels a job. The job ends at once, with GPTIMAGE_STATUS_CANCELLED or with its result if it had one. A request that
/// may already be charged continues (unless gptimage_config_set_abort_on_cancel() is set), and
/// gptimage_client_collect() returns its outcome. `job` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_job_cancel(job: Option<&gptimage_job_t>) {
    infallible((), || {
        if let Some(job) = job {
            job.job.cancel();
        }
    });
}

/// Returns how far the job is. GPTIMAGE_PHASE_PLANNED for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_job_phase(job: Option<&gptimage_job_t>) -> gptimage_phase_t {
    infallible(GPTIMAGE_PHASE_PLANNED, || {
        let Some(job) = job.filter(|job| job.job.is_own()) else { return GPTIMAGE_PHASE_PLANNED };
        job.update_phase();
        *job.phase.lock().unwrap_or_else(PoisonError::into_inner)
    })
}

/// Frees a job, at any time. A job that has not ended is cancelled as by gptimage_job_cancel(). When this returns, the
/// callback is not running and is never called again. May be called from the job's own callback. `job` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_job_free(job: Option<Box<gptimage_job_t>>) {
    infallible((), || {
        let Some(job) = job else { return };
        if !job.job.is_own() {
            std::mem::forget(job);
            return;
        }
        // Afterwards the callback thread does not use the pointer any more.
        if let Some((callbacks, owner)) = &job.callback {
            callbacks.unregister(*owner);
        }
    });
}
