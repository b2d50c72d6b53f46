//! The boundary of exported functions that can fail: no panic leaves the library, every failure becomes a status and, if the
//! host wants one, an error; `errno` is preserved.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gptimage_binding::ErrnoGuard;

use crate::error::gptimage_error_t;
use crate::ffi_error::FfiError;
use crate::pointer::hand_over;
use crate::status::{GPTIMAGE_STATUS_OK, gptimage_status_t};

/// Runs a function that can fail. Sets `error_out` and returns the status.
pub(crate) fn fallible(
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
    work: impl FnOnce() -> Result<(), FfiError>,
) -> gptimage_status_t {
    let _errno = ErrnoGuard::new();
    let failure = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return GPTIMAGE_STATUS_OK,
        Ok(Err(failure)) => failure,
        Err(_) => FfiError::panicked(),
    };
    let status = failure.status();
    if let Some(out) = error_out {
        hand_over(out, gptimage_error_t::new(failure));
    }
    status
}
