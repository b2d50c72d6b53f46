//! Errors.

use std::ffi::{CString, c_char};

use gptimage_core::{Error, Violation};

use crate::bytes::gptimage_bytes_t;
use crate::ffi_error::FfiError;
use crate::generated::gptimage_generated_t;
use crate::infallible::infallible;
use crate::pointer::{borrowed, c_path, c_string};
use crate::status::{self, GPTIMAGE_STATUS_OK, gptimage_status_t};

/// Why a call failed, and what it cost. Never changes; may be read by any number of threads.
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
    /// Has the bytes of an answer that was kept in memory.
    core: Option<Error>,
    task_id: Option<CString>,
    json: CString,
}

/// Entry broken rule. The texts live as long as the error that they are of.
#[repr(C)]
pub struct gptimage_violation_t {
    /// The API's name of the parameter, such as "size" or "image[2]".
    pub param: *const c_char,
    /// The stable name of the rule, such as "one_of".
    pub rule: *const c_char,
    /// What was given, shortened where it is long.
    pub given: *const c_char,
    /// What is wrong and what to do, without the parameter's name.
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

/// The error's status. GPTIMAGE_STATUS_OK for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_status(error: Option<&gptimage_error_t>) -> gptimage_status_t {
    error.map_or(GPTIMAGE_STATUS_OK, |error| error.status)
}

/// The stable name of the error's status, such as "rate_limited"; "ok" for NULL. Static: never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_kind(error: Option<&gptimage_error_t>) -> *const c_char {
    status::name(gptimage_error_status(error)).as_ptr()
}

/// Entry line that says what went wrong and what to do next; never the key. "" for NULL. Lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_message(error: Option<&gptimage_error_t>) -> *const c_char {
    error.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// Whether money was spent, over all attempts: "not_charged" (which is proved), "unknown" or "charged". "not_charged" for
/// NULL. Lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_charge(error: Option<&gptimage_error_t>) -> *const c_char {
    error.map_or(c"not_charged".as_ptr(), |error| error.charge.as_ptr())
}

/// The answer's HTTP status, or 0 if there was no answer.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_http_status(error: Option<&gptimage_error_t>) -> u16 {
    error.map_or(0, |error| error.http_status)
}

/// How many milliseconds the server asks to wait, or -1 if it does not say.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_retry_after_ms(error: Option<&gptimage_error_t>) -> i64 {
    error.map_or(-1, |error| error.retry_after_ms)
}

/// The id that the last attempt had, by which the vendor can find it; NULL if there was no attempt. Lives as long as the
/// error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_client_request_id(error: Option<&gptimage_error_t>) -> *const c_char {
    borrowed(error.and_then(|error| error.client_request_id.as_ref()))
}

/// The vendor's id of the last attempt's work, or NULL if it is not known. Lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_inference_id(error: Option<&gptimage_error_t>) -> *const c_char {
    borrowed(error.and_then(|error| error.inference_id.as_ref()))
}

/// What was paid for and arrived in spite of the error, or NULL. A picture that was not obtained stands in it with its URL.
/// Belongs to the error: not to be freed, and gone with it.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_generated(error: Option<&gptimage_error_t>) -> Option<&gptimage_generated_t> {
    error.and_then(|error| error.generated.as_deref())
}

/// How many rules the request broke.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_violation_count(error: Option<&gptimage_error_t>) -> usize {
    error.map_or(0, |error| error.violations.len())
}

/// A broken rule, by its index; all texts are NULL beyond the last. They live as long as the error.
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

/// What the server answered, where that could not be used: without its pictures, at most 64 KiB of it; else NULL. Lives as
/// long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_response_body(error: Option<&gptimage_error_t>) -> *const c_char {
    borrowed(error.and_then(|error| error.response_body.as_ref()))
}

/// The file that holds the whole answer, where that could not be used, in the bytes that the system has: beside the pictures'
/// target, or in the salvage folder. NULL where there is none. Lives as long as the error; the file stays.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_response_file(error: Option<&gptimage_error_t>) -> *const c_char {
    borrowed(error.and_then(|error| error.response_file.as_ref()))
}

/// The whole answer, where that could not be used and there was no folder for gptimage_error_response_file(); else no bytes.
/// They belong to the error: not to be freed, and gone with it.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_response_bytes(error: Option<&gptimage_error_t>) -> gptimage_bytes_t {
    let bytes = error.and_then(|error| error.core.as_ref()).and_then(Error::response_bytes);
    bytes.map_or(gptimage_bytes_t::NONE, |bytes| gptimage_bytes_t::of(bytes))
}

/// The id of the task that the gateway answered with in place of pictures, or NULL: ask the gateway what became of it. Lives
/// as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_task_id(error: Option<&gptimage_error_t>) -> *const c_char {
    borrowed(error.and_then(|error| error.task_id.as_ref()))
}

/// The whole error as a JSON object, with every attempt and at most 64 KiB of the answer; without pictures. "{}" for NULL.
/// Lives as long as the error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_json(error: Option<&gptimage_error_t>) -> *const c_char {
    error.map_or(c"{}".as_ptr(), |error| error.json.as_ptr())
}

/// Frees an error, and with it every text and the generated object that came from it. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_error_free(error: Option<Box<gptimage_error_t>>) {
    infallible((), || drop(error));
}
