//! `gptimage_error_t`.

use std::ffi::{CString, c_char};

use gptimage_core::{Error, Violation};

use crate::bytes::gptimage_bytes_t;
use crate::ffi_error::FfiError;
use crate::generated::gptimage_generated_t;
use crate::infallible::infallible;
use crate::pointer::{borrowed, c_path, c_string};
use crate::status::{self, GPTIMAGE_STATUS_OK, gptimage_status_t};

/// Why a call failed and what it cost. Immutable; may be read by any number of threads.
pub struct gptimage_error_t {
    status: gptimage_status_t,
    message: CString,
    charge: CString,
    http_status: u16,
    retry_after_ms: i64,
    client_request_id: Option<CString>,
    inference_id: Option<CString>,
    violations: Vec<[CString; 4]>,
    generated: Option<Box<gptimage_generated_t>>,
    response_body: Option<CString>,
    response_file: Option<CString>,
    /// Owns the bytes of a response that was kept in memory.
    core: Option<Error>,
    task_id: Option<CString>,
    json: CString,
}

/// A violated rule. The texts live as long as the error.
#[repr(C)]
pub struct gptimage_violation_t {
    /// The API's name of the parameter, such as "size" or "image[2]".
    pub param: *const c_char,
    /// The stable name of the rule, such as "one_of".
    pub rule: *const c_char,
    /// The given value, shortened if it is long.
    pub given: *const c_char,
    /// What is wrong and how to correct it, without the parameter's name.
    pub message: *const c_char,
}

impl gptimage_error_t {
    pub(crate) fn new(failure: FfiError) -> Self {
        let core = failure.core();
        let last = core.and_then(|error| error.attempts().last());
        let wait = core.and_then(Error::retry_after).map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        let texts = |violation: &Violation| {
            [violation.param(), violation.rule().as_str(), violation.given(), violation.message()].map(c_string)
        };
        Self {
            status: failure.status(),
            message: c_string(failure.message()),
            charge: c_string(failure.charge().as_str()),
            http_status: core.and_then(Error::http_status).unwrap_or(0),
            retry_after_ms: wait.unwrap_or(-1),
            client_request_id: last.map(|attempt| c_string(&attempt.client_request_id)),
            inference_id: last.and_then(|attempt| attempt.inference_id.as_deref()).map(c_string),
            violations: core.map(Error::violations).unwrap_or_default().iter().map(texts).collect(),
            response_body: core.and_then(Error::response_body).map(c_string),
            response_file: core.and_then(Error::response_file).map(c_path),
            core: core.cloned(),
            task_id: core.and_then(Error::task_id).map(c_string),
            json: c_string(&failure.json()),
            generated: core
                .and_then(Error::generated)
                .map(|generated| Box::new(gptimage_generated_t::new(generated.clone()))),
        }
    }
}

/// Returns the status of the error. GPTIMAGE_STATUS_OK for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_status(error: Option<&gptimage_error_t>) -> gptimage_status_t {
    error.map_or(GPTIMAGE_STATUS_OK, |error| error.status)
}

/// Returns the stable name of the error's status, such as "rate_limited"; "ok" for NULL. Static: do not free.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_kind(error: Option<&gptimage_error_t>) -> *const c_char {
    status::name(gptimage_error_status(error)).as_ptr()
}

/// Returns one line that says what went wrong and what to do next. It never contains the key. "" for NULL. Lives as
/// long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_message(error: Option<&gptimage_error_t>) -> *const c_char {
    error.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// Returns whether money was spent by any attempt: "not_charged" (proved), "unknown" or "charged". "not_charged" for
/// NULL. Lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_charge(error: Option<&gptimage_error_t>) -> *const c_char {
    error.map_or(c"not_charged".as_ptr(), |error| error.charge.as_ptr())
}

/// Returns the HTTP status of the response; 0 if there was no response.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_http_status(error: Option<&gptimage_error_t>) -> u16 {
    error.map_or(0, |error| error.http_status)
}

/// Returns how many milliseconds the server asks to wait; -1 if it does not say.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_retry_after_ms(error: Option<&gptimage_error_t>) -> i64 {
    error.map_or(-1, |error| error.retry_after_ms)
}

/// Returns the client request id of the last attempt, by which the vendor can find it; NULL if there was no attempt.
/// Lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_client_request_id(error: Option<&gptimage_error_t>) -> *const c_char {
    borrowed(error.and_then(|error| error.client_request_id.as_ref()))
}

/// Returns the vendor's id of the last attempt's inference; NULL if it is not known. Lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_inference_id(error: Option<&gptimage_error_t>) -> *const c_char {
    borrowed(error.and_then(|error| error.inference_id.as_ref()))
}

/// Returns the images that were paid for and arrived despite the error; NULL if there are none. An image that was not
/// downloaded is listed with its URL. Owned by the error: do not free.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_generated(error: Option<&gptimage_error_t>) -> Option<&gptimage_generated_t> {
    error.and_then(|error| error.generated.as_deref())
}

/// Returns the number of violated rules. 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_violation_count(error: Option<&gptimage_error_t>) -> usize {
    error.map_or(0, |error| error.violations.len())
}

/// Returns a violated rule by index. All texts are NULL if the index is out of range. They live as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_violation(error: Option<&gptimage_error_t>, index: usize) -> gptimage_violation_t {
    let nothing = std::ptr::null();
    match error.and_then(|error| error.violations.get(index)) {
        Some([param, rule, given, message]) => gptimage_violation_t {
            param: param.as_ptr(),
            rule: rule.as_ptr(),
            given: given.as_ptr(),
            message: message.as_ptr(),
        },
        None => gptimage_violation_t { param: nothing, rule: nothing, given: nothing, message: nothing },
    }
}

/// Returns a response that could not be used, without its images and cut at 64 KiB; NULL if there is none. Lives as
/// long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_response_body(error: Option<&gptimage_error_t>) -> *const c_char {
    borrowed(error.and_then(|error| error.response_body.as_ref()))
}

/// Returns the path of the file that holds a whole response that could not be used, in the system's own bytes: next to
/// the output file, or in the salvage folder. NULL if there is none. The text lives as long as the error; the file is
/// not removed.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_response_file(error: Option<&gptimage_error_t>) -> *const c_char {
    borrowed(error.and_then(|error| error.response_file.as_ref()))
}

/// Returns a whole response that could not be used, if there was no folder for gptimage_error_response_file();
/// otherwise no bytes. Owned by the error: do not free.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_response_bytes(error: Option<&gptimage_error_t>) -> gptimage_bytes_t {
    let bytes = error.and_then(|error| error.core.as_ref()).and_then(Error::response_bytes);
    bytes.map_or(gptimage_bytes_t::NONE, |bytes| gptimage_bytes_t::of(bytes))
}

/// Returns the id of the task that the gateway returned instead of images; NULL if it did not. Ask the gateway for the
/// outcome of that task. Lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_task_id(error: Option<&gptimage_error_t>) -> *const c_char {
    borrowed(error.and_then(|error| error.task_id.as_ref()))
}

/// Returns the error as a JSON object, with every attempt and at most 64 KiB of the response, without images. "{}" for
/// NULL. Lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_json(error: Option<&gptimage_error_t>) -> *const c_char {
    error.map_or(c"{}".as_ptr(), |error| error.json.as_ptr())
}

/// Frees an error, with every text and result that came from it. `error` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_free(error: Option<Box<gptimage_error_t>>) {
    infallible((), || drop(error));
}
