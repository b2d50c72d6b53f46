//! Budgets.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use gptimage_core::{Amount, Budget};

use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::ffi_error::FfiError;
use crate::infallible::infallible;
use crate::pointer::{hand_over, required, text};
use crate::status::gptimage_status_t;

/// A limit on the total cost of calls, in US dollars. May be shared by any number of clients and threads.
///
/// Before an attempt is sent, the highest price that it can have is reserved. An attempt whose reservation does not fit
/// is refused with GPTIMAGE_STATUS_BUDGET_EXCEEDED, and nothing is sent. Afterwards the reservation is replaced by the
/// price that the server states, or released if it is proved that nothing was charged. A call that may have been
/// charged counts as spent until gptimage_client_reconcile() resolves it. A call that costs more than its reservation
/// closes the budget.
pub struct gptimage_budget_t(Budget);

impl gptimage_budget_t {
    pub(crate) fn core(&self) -> &Budget {
        &self.0
    }
}

/// Size of an amount as text, including the NUL.
const AMOUNT_MAX: usize = 48;

/// The state of a budget. Amounts are exact US dollars, as NUL-terminated decimal text.
#[repr(C)]
pub struct gptimage_budget_status_t {
    /// The limit.
    pub max_usd: [c_char; 48],
    /// The amount spent, including assumed_usd.
    pub spent_usd: [c_char; 48],
    /// The part of spent_usd that may have been charged, or whose price is unknown; counted at its reservation.
    pub assumed_usd: [c_char; 48],
    /// The amount reserved for calls in flight.
    pub reserved_usd: [c_char; 48],
    /// The amount left for further calls; "0" if the budget is closed.
    pub remaining_usd: [c_char; 48],
    /// Not 0 if a call cost more than its reservation; no further call is allowed.
    pub closed: i32,
}

/// Creates a budget of `max_usd`, as decimal text such as "5.00". `max_usd_per_call` is the highest price of one call
/// with all its images; NULL for 0.50 per image. Free the budget with gptimage_budget_free(), at any time: clients keep
/// what they need of it. Returns GPTIMAGE_STATUS_CONFIG if one of the texts is not an amount.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_budget_new(
    max_usd: *const c_char,
    max_usd_per_call: *const c_char,
    budget_out: Option<&mut MaybeUninit<*mut gptimage_budget_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let out = required(budget_out, "budget_out")?;
        let per_call = (!max_usd_per_call.is_null()).then(|| text(max_usd_per_call, "max_usd_per_call")).transpose()?;
        hand_over(out, gptimage_budget_t(Budget::parse(text(max_usd, "max_usd")?, per_call)?));
        Ok(())
    })
}

/// Writes the current state of a budget to `*status_out`.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_budget_status(
    budget: Option<&gptimage_budget_t>,
    status_out: Option<&mut MaybeUninit<gptimage_budget_status_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let status = required(budget, "budget")?.0.status();
        let out = required(status_out, "status_out")?;
        out.write(gptimage_budget_status_t {
            max_usd: digits(status.max_usd)?,
            spent_usd: digits(status.spent_usd)?,
            assumed_usd: digits(status.assumed_usd)?,
            reserved_usd: digits(status.reserved_usd)?,
            remaining_usd: digits(status.remaining_usd)?,
            closed: i32::from(status.closed),
        });
        Ok(())
    })
}

/// An amount as a field of the status. The longest amount fits.
fn digits(amount: Amount) -> Result<[c_char; AMOUNT_MAX], FfiError> {
    let mut field = [0; AMOUNT_MAX];
    let text = amount.to_string();
    let places =
        field.get_mut(..text.len()).filter(|places| places.len() < AMOUNT_MAX).ok_or_else(FfiError::panicked)?;
    for (place, digit) in places.iter_mut().zip(text.bytes()) {
        *place = c_char::try_from(digit).map_err(|_| FfiError::panicked())?;
    }
    Ok(field)
}

/// Frees a budget. `budget` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_budget_free(budget: Option<Box<gptimage_budget_t>>) {
    infallible((), || drop(budget));
}
