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

/// A limit on what calls may cost together, in US dollars. May be shared by any number of clients and threads.
///
/// Before an attempt is sent, the dearest that it may be is reserved; what does not fit is refused with
/// GPTIMAGE_STATUS_BUDGET_EXCEEDED, and nothing is sent. Afterwards the reservation becomes the price that the server states,
/// or nothing where it is proved that nothing was charged. What may be charged counts as spent, until
/// gptimage_client_reconcile() knows better. A call that costs more than was reserved for it closes the budget.
pub struct gptimage_budget_t(Budget);

impl gptimage_budget_t {
    pub(crate) fn core(&self) -> &Budget {
        &self.0
    }
}

/// Room for an amount as text, its NUL included.
const AMOUNT_MAX: usize = 48;

/// How a budget stands. Amounts are US dollars, exactly, as decimal text that a NUL ends.
#[repr(C)]
pub struct gptimage_budget_status_t {
    /// The limit.
    pub max_usd: [c_char; 48],
    /// What was spent, assumed_usd included.
    pub spent_usd: [c_char; 48],
    /// The part of it that may be charged, or was at no stated price: counted at its reservation.
    pub assumed_usd: [c_char; 48],
    /// What is reserved for calls on their way.
    pub reserved_usd: [c_char; 48],
    /// What is left for further calls; "0" once it is closed.
    pub remaining_usd: [c_char; 48],
    /// Not 0 once a call has cost more than was reserved for it: none is let through any more.
    pub closed: i32,
}

/// A budget of `max_usd`, decimal text such as "5.00". `max_usd_per_call`: the most that one call may cost, all its pictures
/// together; NULL for 0.50 for each picture. Free it with gptimage_budget_free(), at any time: clients keep what they need of
/// it. GPTIMAGE_STATUS_CONFIG: one of them is no amount.
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

/// How the budget stands now.
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

/// An amount in a field of the status. The longest there is fits.
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

/// Frees a budget. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_budget_free(budget: Option<Box<gptimage_budget_t>>) {
    infallible((), || drop(budget));
}
