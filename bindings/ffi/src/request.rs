//! Shared implementation of the two request types.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::time::Duration;

use gptimage_binding::{CallSpec, Extra};

use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::ffi_error::FfiError;
use crate::pointer::{required, text};
use crate::status::gptimage_status_t;
use crate::wait::wait_for;

/// A request that is being built.
pub(crate) trait RequestHandle {
    fn spec(&mut self) -> &mut CallSpec;
}

/// Changes a request.
pub(crate) fn change<R: RequestHandle>(
    request: Option<&mut R>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
    change: impl FnOnce(&mut CallSpec) -> Result<(), FfiError>,
) -> gptimage_status_t {
    fallible(error_out, || change(required(request, "request")?.spec()))
}

/// Sets a parameter from text, which is validated when the request is sent.
pub(crate) fn set<R: RequestHandle>(
    request: Option<&mut R>,
    name: &str,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        parameter(spec, name, text(value, name)?);
        Ok(())
    })
}

/// Sets a parameter from a number.
pub(crate) fn set_number<R: RequestHandle>(
    request: Option<&mut R>,
    name: &str,
    value: i64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        parameter(spec, name, &value.to_string());
        Ok(())
    })
}

/// Sets a parameter; the last value counts.
fn parameter(spec: &mut CallSpec, name: &str, value: &str) {
    spec.parameters.retain(|(known, _)| known != name);
    spec.parameters.push((name.to_owned(), value.to_owned()));
}

/// Sets a parameter by its name.
pub(crate) fn set_named<R: RequestHandle>(
    request: Option<&mut R>,
    name: *const c_char,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        parameter(spec, text(name, "name")?, text(value, "value")?);
        Ok(())
    })
}

/// Adds fields that the library does not know.
pub(crate) fn set_extra<R: RequestHandle>(
    request: Option<&mut R>,
    json: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        let json = text(json, "json")?.to_owned();
        let extra = wait_for(move || async move { Extra::parse(&json) })?
            .map_err(|error| FfiError::argument("json", &format!("is no JSON object: {error}")))?;
        spec.extra.push(extra);
        Ok(())
    })
}

/// Sets the deadline of a call.
pub(crate) fn set_deadline_ms<R: RequestHandle>(
    request: Option<&mut R>,
    deadline_ms: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        spec.deadline = (deadline_ms > 0).then(|| Duration::from_millis(deadline_ms));
        Ok(())
    })
}
