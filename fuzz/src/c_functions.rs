//! The functions of libgptimage, declared as in a C program.
#![allow(unsafe_code, reason = "declarations of C functions")]

use std::ffi::{c_char, c_int, c_void};

// Links the functions into this program.
use gptimage_c as _;

/// A handle to an object of the library.
pub(crate) type Handle = *mut c_void;
/// A text, or NULL.
pub(crate) type Text = *const c_char;
pub(crate) type Out = *mut *mut c_void;

/// `gptimage_bytes_t`.
#[repr(C)]
pub(crate) struct Slice {
    pub(crate) data: *const u8,
    pub(crate) len: usize,
}

/// `gptimage_violation_t`.
#[repr(C)]
pub(crate) struct Violation {
    pub(crate) texts: [Text; 4],
}

pub(crate) type Callback = Option<extern "C" fn(Handle, *mut c_void)>;
pub(crate) type ProgressCallback = Option<extern "C" fn(*const c_void, *mut c_void)>;

unsafe extern "C" {
    pub(crate) fn gptimage_cancel_token_new() -> Handle;
    pub(crate) fn gptimage_cancel_token_cancel(token: Handle);
    pub(crate) fn gptimage_cancel_token_free(token: Handle);
    pub(crate) fn gptimage_config_new() -> Handle;
    pub(crate) fn gptimage_config_free(config: Handle);
    pub(crate) fn gptimage_config_set_api_key(config: Handle, key: Text, error: Out) -> i32;
    pub(crate) fn gptimage_config_set_base_url(config: Handle, url: Text, error: Out) -> i32;
    pub(crate) fn gptimage_config_set_allow_http(config: Handle, allow: c_int, error: Out) -> i32;
    pub(crate) fn gptimage_config_set_deadline_ms(config: Handle, deadline: u64, error: Out) -> i32;
    pub(crate) fn gptimage_config_set_max_attempts(config: Handle, attempts: u32, error: Out) -> i32;
    pub(crate) fn gptimage_config_set_timer_ms(config: Handle, name: Text, value: u64, error: Out) -> i32;
    pub(crate) fn gptimage_config_set_proxy(config: Handle, url: Text, error: Out) -> i32;
    pub(crate) fn gptimage_config_add_header(config: Handle, name: Text, value: Text, error: Out) -> i32;
    pub(crate) fn gptimage_config_set_fetch(config: Handle, fetch: c_int, error: Out) -> i32;
    pub(crate) fn gptimage_config_set_abort_on_cancel(config: Handle, abort: c_int, error: Out) -> i32;
    pub(crate) fn gptimage_config_set_max_image_bytes(config: Handle, bytes: u64, error: Out) -> i32;
    pub(crate) fn gptimage_client_new(config: Handle, client: Out, error: Out) -> i32;
    pub(crate) fn gptimage_client_free(client: Handle);
    pub(crate) fn gptimage_client_set_progress(client: Handle, callback: ProgressCallback, data: *mut c_void);
    pub(crate) fn gptimage_client_generate(c: Handle, request: Handle, cancel: Handle, made: Out, error: Out) -> i32;
    pub(crate) fn gptimage_client_edit(c: Handle, request: Handle, cancel: Handle, made: Out, error: Out) -> i32;
    pub(crate) fn gptimage_client_fetch(client: Handle, generated: Handle, index: usize, error: Out) -> i32;
    pub(crate) fn gptimage_client_collect(client: Handle, wait_ms: u64, made: Out, error: Out) -> i32;
    pub(crate) fn gptimage_client_start_generate(
        client: Handle,
        request: Handle,
        callback: Callback,
        data: *mut c_void,
        job: Out,
        error: Out,
    ) -> i32;
    pub(crate) fn gptimage_client_start_edit(
        client: Handle,
        request: Handle,
        callback: Callback,
        data: *mut c_void,
        job: Out,
        error: Out,
    ) -> i32;
    pub(crate) fn gptimage_job_wait(job: Handle, timeout_ms: u64, made: Out, error: Out) -> i32;
    pub(crate) fn gptimage_job_cancel(job: Handle);
    pub(crate) fn gptimage_job_phase(job: Handle) -> i32;
    pub(crate) fn gptimage_job_free(job: Handle);
    pub(crate) fn gptimage_generate_request_new(prompt: Text, request: Out, error: Out) -> i32;
    pub(crate) fn gptimage_generate_request_free(request: Handle);
    pub(crate) fn gptimage_generate_request_set(request: Handle, name: Text, value: Text, error: Out) -> i32;
    pub(crate) fn gptimage_generate_request_set_extra(request: Handle, json: Text, error: Out) -> i32;
    pub(crate) fn gptimage_generate_request_set_n(request: Handle, n: i64, error: Out) -> i32;
    pub(crate) fn gptimage_generate_request_set_response_format(request: Handle, format: Text, error: Out) -> i32;
    pub(crate) fn gptimage_generate_request_set_deadline_ms(request: Handle, deadline: u64, error: Out) -> i32;
    pub(crate) fn gptimage_generate_request_set_structural_rules(request: Handle, on: c_int, error: Out) -> i32;
    pub(crate) fn gptimage_edit_request_new(prompt: Text, request: Out, error: Out) -> i32;
    pub(crate) fn gptimage_edit_request_free(request: Handle);
    pub(crate) fn gptimage_edit_request_set(request: Handle, name: Text, value: Text, error: Out) -> i32;
    pub(crate) fn gptimage_edit_request_set_extra(request: Handle, json: Text, error: Out) -> i32;
    pub(crate) fn gptimage_edit_request_set_n(request: Handle, n: i64, error: Out) -> i32;
    pub(crate) fn gptimage_edit_request_add_image_bytes(r: Handle, data: *const u8, len: usize, error: Out) -> i32;
    pub(crate) fn gptimage_edit_request_set_mask_bytes(r: Handle, data: *const u8, len: usize, error: Out) -> i32;
    pub(crate) fn gptimage_error_status(error: Handle) -> i32;
    pub(crate) fn gptimage_error_kind(error: Handle) -> Text;
    pub(crate) fn gptimage_error_message(error: Handle) -> Text;
    pub(crate) fn gptimage_error_charge(error: Handle) -> Text;
    pub(crate) fn gptimage_error_http_status(error: Handle) -> u16;
    pub(crate) fn gptimage_error_retry_after_ms(error: Handle) -> i64;
    pub(crate) fn gptimage_error_client_request_id(error: Handle) -> Text;
    pub(crate) fn gptimage_error_generated(error: Handle) -> Handle;
    pub(crate) fn gptimage_error_violation_count(error: Handle) -> usize;
    pub(crate) fn gptimage_error_violation(error: Handle, index: usize) -> Violation;
    pub(crate) fn gptimage_error_json(error: Handle) -> Text;
    pub(crate) fn gptimage_error_free(error: Handle);
    pub(crate) fn gptimage_generated_image_count(generated: Handle) -> usize;
    pub(crate) fn gptimage_generated_image_bytes(generated: Handle, index: usize) -> Slice;
    pub(crate) fn gptimage_generated_image_url(generated: Handle, index: usize) -> Text;
    pub(crate) fn gptimage_generated_image_format(generated: Handle, index: usize) -> Text;
    pub(crate) fn gptimage_generated_image_width(generated: Handle, index: usize) -> u32;
    pub(crate) fn gptimage_generated_usd_spent(generated: Handle) -> Text;
    pub(crate) fn gptimage_generated_json(generated: Handle) -> Text;
    pub(crate) fn gptimage_generated_free(generated: Handle);
    pub(crate) fn gptimage_status_name(status: i32) -> Text;
}
