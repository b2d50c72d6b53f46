//! Looking an attempt up in the vendor's usage log.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::time::Duration;

use gptimage_core::Reconciled;

use crate::client::gptimage_client_t;
use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::ffi_error::FfiError;
use crate::infallible::infallible;
use crate::pointer::{borrowed, c_string, hand_over, required, text};
use crate::status::gptimage_status_t;
use crate::wait::wait_for;

/// What the vendor's usage log says about an attempt. Immutable; may be read by any number of threads.
pub struct gptimage_reconciled_t {
    charge: CString,
    usd: Option<CString>,
    credits: Option<CString>,
    inference_id: Option<CString>,
    message: CString,
    json: CString,
}

impl From<&Reconciled> for gptimage_reconciled_t {
    fn from(reconciled: &Reconciled) -> Self {
        let amount = |amount: Option<gptimage_core::Amount>| amount.map(|amount| c_string(&amount.to_string()));
        Self {
            charge: c_string(reconciled.charge.as_str()),
            usd: amount(reconciled.cost.and_then(|cost| cost.usd)),
            credits: amount(reconciled.cost.and_then(|cost| cost.credits)),
            inference_id: reconciled.inference_id.as_deref().map(c_string),
            message: c_string(&reconciled.message),
            json: c_string(&serde_json::to_string(reconciled).unwrap_or_default()),
        }
    }
}

/// Looks up in the vendor's usage log whether an attempt was charged, and waits for the result. Free of charge.
/// `period` is how far back the log is read, in minutes, hours or days, such as "7d"; NULL for "24h". `timeout_ms` is
/// the maximum time to wait for a missing log entry, in milliseconds; 0 reads the log once. A log that is absent,
/// refuses access or lags behind is not a failure: the charge stays "unknown". Free the result with
/// gptimage_reconciled_free().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_reconcile(
    client: Option<&gptimage_client_t>,
    client_request_id: *const c_char,
    period: *const c_char,
    timeout_ms: u64,
    reconciled_out: Option<&mut MaybeUninit<*mut gptimage_reconciled_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let client = required(client, "client")?.core()?;
        let out = required(reconciled_out, "reconciled_out")?;
        let mut lookup = client
            .reconcile([text(client_request_id, "client_request_id")?])
            .timeout(Duration::from_millis(timeout_ms));
        if !period.is_null() {
            lookup = lookup.period(text(period, "period")?);
        }
        let reconciled = wait_for(move || async move { lookup.send().await })??;
        let reconciled = reconciled.first().ok_or_else(FfiError::lost)?;
        hand_over(out, gptimage_reconciled_t::from(reconciled));
        Ok(())
    })
}

/// Returns "not_charged" (the attempt failed at no cost and may be repeated), "charged" or "unknown". "unknown" for
/// NULL. Lives as long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_reconciled_charge(reconciled: Option<&gptimage_reconciled_t>) -> *const c_char {
    reconciled.map_or(c"unknown".as_ptr(), |reconciled| reconciled.charge.as_ptr())
}

/// Returns the logged price in exact US dollars, as decimal text; NULL if there is none. Lives as long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_reconciled_usd_spent(reconciled: Option<&gptimage_reconciled_t>) -> *const c_char {
    borrowed(reconciled.and_then(|reconciled| reconciled.usd.as_ref()))
}

/// Returns the logged price in the vendor's credits, as decimal text; NULL if there is none. Lives as long as the
/// result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_reconciled_credits_used(reconciled: Option<&gptimage_reconciled_t>) -> *const c_char {
    borrowed(reconciled.and_then(|reconciled| reconciled.credits.as_ref()))
}

/// Returns the vendor's id of the inference; NULL if it is not known. Lives as long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_reconciled_inference_id(reconciled: Option<&gptimage_reconciled_t>) -> *const c_char {
    borrowed(reconciled.and_then(|reconciled| reconciled.inference_id.as_ref()))
}

/// Returns one line that says what to do next; for a charged attempt, with everything that a refund request needs. ""
/// for NULL. Lives as long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_reconciled_message(reconciled: Option<&gptimage_reconciled_t>) -> *const c_char {
    reconciled.map_or(c"".as_ptr(), |reconciled| reconciled.message.as_ptr())
}

/// Returns the result as a JSON object. "{}" for NULL. Lives as long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_reconciled_json(reconciled: Option<&gptimage_reconciled_t>) -> *const c_char {
    reconciled.map_or(c"{}".as_ptr(), |reconciled| reconciled.json.as_ptr())
}

/// Frees a result, with every text that came from it. `reconciled` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_reconciled_free(reconciled: Option<Box<gptimage_reconciled_t>>) {
    infallible((), || drop(reconciled));
}
