//! Calls that the host does not wait for at once.

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

/// Waits without end.
pub const GPTIMAGE_WAIT_FOREVER: u64 = u64::MAX;

/// A call on its way. May be shared by any number of threads; the result goes to one of them.
pub struct gptimage_job_t {
    job: Job<CallResult>,
    /// The furthest that was seen.
    phase: Mutex<gptimage_phase_t>,
    callback: Option<(CallbackThread, u64)>,
}

/// Called once, on the thread "gptimage-calls", when the job has ended: gptimage_job_wait() gives its result at once then.
/// It may call any function of the library, gptimage_job_free() for this very job included, but those that wait for another
/// call.
pub type gptimage_job_callback_t = Option<unsafe extern "C" fn(job: *mut gptimage_job_t, user_data: *mut c_void)>;

/// A job that the callback thread names to the host.
struct JobPointer(*mut gptimage_job_t);

// SAFETY: only handed to the host's function, before the job is freed: freeing it drops the call that has this, or waits.
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

/// Lets the callback thread call the host at the job's end.
fn arm(
    job: *mut gptimage_job_t,
    callback: unsafe extern "C" fn(job: *mut gptimage_job_t, user_data: *mut c_void),
    user_data: UserData,
) {
    // SAFETY: made in `start_job` a moment ago, or alive because its callback, which re-arms it, is being waited for by
    // whoever frees it.
    let Some(this) = (unsafe { job.as_ref() }) else { return };
    let Some((callbacks, owner)) = this.callback.clone() else { return };
    let pointer = JobPointer(job);
    this.job.set_waker(move || {
        let pointer = pointer;
        callbacks.clone().call(owner, move || {
            // SAFETY: as above: freeing the job drops this call, or waits until it has returned.
            let Some(this) = (unsafe { pointer.pointer().as_ref() }) else { return };
            if this.update_phase() {
                // SAFETY: the host's own function, with the pointers that it knows.
                unsafe { callback(pointer.pointer(), user_data.pointer()) };
            } else {
                arm(pointer.pointer(), callback, user_data);
            }
        });
    });
}

impl gptimage_job_t {
    /// Takes note of news. Whether the job has ended.
    fn update_phase(&self) -> bool {
        // Whoever looks first also notes it first: a phase only goes forward.
        let mut furthest = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(progress) = self.job.take_progress() {
            *furthest = phase(progress.phase).max(*furthest);
        }
        drop(furthest);
        self.job.state() != JobState::Running
    }
}

/// Starts making a picture and returns at once. `callback` may be NULL. `*job_out` is set before the callback is called.
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

/// Starts editing pictures and returns at once; all else as gptimage_client_start_generate().
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

/// Waits until the job has ended, at most so many milliseconds (GPTIMAGE_WAIT_FOREVER: without end; 0: only looks), and
/// takes its result. GPTIMAGE_STATUS_PENDING: it has not ended yet. The result is given once; asking again is
/// GPTIMAGE_STATUS_INVALID_ARGUMENT. With `error_out` NULL, an error that may have cost something is kept for
/// gptimage_client_collect().
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

/// Asks the job to end. What may be paid by then runs on (unless the configuration says abort), and
/// gptimage_client_collect() has its result. The job itself ends at once with GPTIMAGE_STATUS_CANCELLED, or with its result
/// if that was there already.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_job_cancel(job: Option<&gptimage_job_t>) {
    infallible((), || {
        if let Some(job) = job {
            job.job.cancel();
        }
    });
}

/// How far the job is. GPTIMAGE_PHASE_PLANNED for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_job_phase(job: Option<&gptimage_job_t>) -> gptimage_phase_t {
    infallible(GPTIMAGE_PHASE_PLANNED, || {
        let Some(job) = job.filter(|job| job.job.is_own()) else { return GPTIMAGE_PHASE_PLANNED };
        job.update_phase();
        *job.phase.lock().unwrap_or_else(PoisonError::into_inner)
    })
}

/// Frees a job, at any time: one that has not ended is cancelled, and what may be paid of it runs on as
/// gptimage_job_cancel() has it. When it returns, its callback is not running and is never called again; from within its
/// callback it may be called, too. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_job_free(job: Option<Box<gptimage_job_t>>) {
    infallible((), || {
        let Some(job) = job else { return };
        if !job.job.is_own() {
            std::mem::forget(job);
            return;
        }
        // From here on the callback thread does not follow the pointer any more.
        if let Some((callbacks, owner)) = &job.callback {
            callbacks.unregister(*owner);
        }
    });
}
