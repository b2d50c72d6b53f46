//! Calls that may be charged and whose outcome nobody has received.

use std::ffi::{CString, c_char, c_int};
use std::mem::MaybeUninit;

use crate::client::gptimage_client_t;
use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::infallible::infallible;
use crate::pointer::{borrowed, c_string, hand_over, required};
use crate::progress::{GPTIMAGE_PHASE_PLANNED, gptimage_phase_t, phase};
use crate::status::gptimage_status_t;
use crate::wait::with_files;

/// A list of calls that may be charged and whose outcome nobody has received, at the time of gptimage_client_pending().
/// Immutable.
pub struct gptimage_pending_t(Vec<Entry>);

struct Entry {
    client_request_id: Option<CString>,
    phase: gptimage_phase_t,
    ended: bool,
}

/// Lists the calls that may be charged and whose outcome nobody has received: attempts in flight that the server may
/// have, including those that another thread waits for, and outcomes that wait for gptimage_client_collect(), including
/// those in a salvage folder. Free the list with gptimage_pending_free().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_pending(
    client: Option<&gptimage_client_t>,
    pending_out: Option<&mut MaybeUninit<*mut gptimage_pending_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let client = required(client, "client")?.core()?;
        let out = required(pending_out, "pending_out")?;
        let pending = with_files(move || client.pending())?;
        let one = |pending: gptimage_core::Pending| Entry {
            client_request_id: pending.client_request_id.as_deref().map(c_string),
            phase: phase(pending.phase),
            ended: pending.ended,
        };
        hand_over(out, gptimage_pending_t(pending.into_iter().map(one).collect()));
        Ok(())
    })
}

/// Returns the number of calls. 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_pending_count(pending: Option<&gptimage_pending_t>) -> usize {
    pending.map_or(0, |pending| pending.0.len())
}

fn one(pending: Option<&gptimage_pending_t>, index: usize) -> Option<&Entry> {
    pending.and_then(|pending| pending.0.get(index))
}

/// Returns the client request id of the call's last attempt; NULL if the call ended before it had one, or if the index
/// is out of range. Lives as long as the list.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_pending_client_request_id(
    pending: Option<&gptimage_pending_t>,
    index: usize,
) -> *const c_char {
    borrowed(one(pending, index).and_then(|one| one.client_request_id.as_ref()))
}

/// Returns how far the call's last attempt came. GPTIMAGE_PHASE_PLANNED if the index is out of range.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_pending_phase(pending: Option<&gptimage_pending_t>, index: usize) -> gptimage_phase_t {
    one(pending, index).map_or(GPTIMAGE_PHASE_PLANNED, |one| one.phase)
}

/// Returns not 0 if the call has ended and its outcome waits for gptimage_client_collect().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_pending_ended(pending: Option<&gptimage_pending_t>, index: usize) -> c_int {
    c_int::from(one(pending, index).is_some_and(|one| one.ended))
}

/// Frees a list, with every text that came from it. `pending` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_pending_free(pending: Option<Box<gptimage_pending_t>>) {
    infallible((), || drop(pending));
}
