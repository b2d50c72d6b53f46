//! What every exported function goes through: no panic gets out, every failure becomes a status and, where the host wants
//! one, an error; the calling thread's errno stays as it is.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gptimage_binding::KeptErrno;

use crate::error::{Failure, gptimage_error_t};
use crate::pointer::hand_over;
use crate::status::{GPTIMAGE_STATUS_OK, gptimage_status_t};

/// Runs a function that can fail.
pub(crate) fn fallible(
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
    work: impl FnOnce() -> Result<(), Failure>,
) -> gptimage_status_t {
    let _errno = KeptErrno::new();
    let failure = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return GPTIMAGE_STATUS_OK,
        Ok(Err(failure)) => failure,
        Err(_) => Failure::panicked(),
    };
    let status = failure.status();
    if let Some(out) = error_out {
        hand_over(out, gptimage_error_t::new(failure));
    }
    status
}

/// Runs a function that cannot fail; `otherwise` is its result in spite of that.
pub(crate) fn infallible<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    let _errno = KeptErrno::new();
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}
