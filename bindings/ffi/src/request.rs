//! What requests of both kinds have in common.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::time::Duration;

use gptimage_binding::{Extra, Order};

use crate::boundary::fallible;
use crate::error::{Failure, gptimage_error_t};
use crate::pointer::{required, text};
use crate::start::wait_for;
use crate::status::gptimage_status_t;

/// A request that is being put together.
pub(crate) trait Request {
    fn order(&mut self) -> &mut Order;
}

/// Changes a request.
pub(crate) fn change<R: Request>(
    request: Option<&mut R>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
    change: impl FnOnce(&mut Order) -> Result<(), Failure>,
) -> gptimage_status_t {
    fallible(error_out, || change(required(request, "request")?.order()))
}

/// Sets a parameter in the API's own words; the rules judge it when the request is sent.
pub(crate) fn set<R: Request>(
    request: Option<&mut R>,
    name: &str,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |order| {
        parameter(order, name, text(value, name)?);
        Ok(())
    })
}

/// Sets a number.
pub(crate) fn set_number<R: Request>(
    request: Option<&mut R>,
    name: &str,
    value: i64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |order| {
        parameter(order, name, &value.to_string());
        Ok(())
    })
}

/// The last word on a parameter counts.
fn parameter(order: &mut Order, name: &str, value: &str) {
    order.parameters.retain(|(known, _)| known != name);
    order.parameters.push((name.to_owned(), value.to_owned()));
}

/// Sets a parameter by its name.
pub(crate) fn set_named<R: Request>(
    request: Option<&mut R>,
    name: *const c_char,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |order| {
        parameter(order, text(name, "name")?, text(value, "value")?);
        Ok(())
    })
}

/// Adds fields beyond the library's knowledge.
pub(crate) fn set_extra<R: Request>(
    request: Option<&mut R>,
    json: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |order| {
        let json = text(json, "json")?.to_owned();
        let extra = wait_for(move || async move { Extra::parse(&json) })?
            .map_err(|error| Failure::argument("json", &format!("is no JSON object: {error}")))?;
        order.extra.push(extra);
        Ok(())
    })
}

/// Sets how long the call may take.
pub(crate) fn set_deadline_ms<R: Request>(
    request: Option<&mut R>,
    deadline_ms: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |order| {
        order.deadline = (deadline_ms > 0).then(|| Duration::from_millis(deadline_ms));
        Ok(())
    })
}
