//! Requests to generate images.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;

use gptimage_binding::CallSpec;
use gptimage_core::Operation;

use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::infallible::infallible;
use crate::pointer::{hand_over, required, text};
use crate::request::{RequestHandle, change, set, set_deadline_ms, set_extra, set_named, set_number};
use crate::status::gptimage_status_t;

/// A request to make an image. Used by one thread at a time; may be sent more than once.
pub struct gptimage_generate_request_t(pub(crate) CallSpec);

impl RequestHandle for gptimage_generate_request_t {
    fn spec(&mut self) -> &mut CallSpec {
        &mut self.0
    }
}

/// Creates a request. `prompt` describes the image in 1 to 32,000 characters of UTF-8. Parameters that are not set are
/// not sent; the server has defaults for them. All values are validated together when the request is sent. Free the
/// request with gptimage_generate_request_free().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_new(
    prompt: *const c_char,
    request_out: Option<&mut MaybeUninit<*mut gptimage_generate_request_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let out = required(request_out, "request_out")?;
        let spec = CallSpec::new(Operation::Generate, text(prompt, "prompt")?);
        hand_over(out, gptimage_generate_request_t(spec));
        Ok(())
    })
}

/// Frees a request. Calls that use it are not affected. `request` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_free(request: Option<Box<gptimage_generate_request_t>>) {
    infallible((), || drop(request));
}

/// Sets the model. Default: "openai/gpt-image-2".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_model(
    request: Option<&mut gptimage_generate_request_t>,
    model: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "model", model, error_out)
}

/// Sets the width × height in pixels: "1024x1024", "1024x1536" or "1536x1024". Server default: "1024x1024".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_size(
    request: Option<&mut gptimage_generate_request_t>,
    size: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "size", size, error_out)
}

/// Sets the quality: "low", "medium" or "high". Server default: "medium".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_quality(
    request: Option<&mut gptimage_generate_request_t>,
    quality: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "quality", quality, error_out)
}

/// Sets the file format: "png", "jpeg" or "webp". Server default: "png".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_output_format(
    request: Option<&mut gptimage_generate_request_t>,
    output_format: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "output_format", output_format, error_out)
}

/// Sets the background: "auto", "transparent" (png and webp only) or "opaque". Server default: "auto".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_background(
    request: Option<&mut gptimage_generate_request_t>,
    background: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "background", background, error_out)
}

/// Sets the moderation level: "auto" or "low". Server default: "auto".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_moderation(
    request: Option<&mut gptimage_generate_request_t>,
    moderation: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "moderation", moderation, error_out)
}

/// Sets how the server returns images: "url" or "b64_json". Server default: "url".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_response_format(
    request: Option<&mut gptimage_generate_request_t>,
    response_format: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "response_format", response_format, error_out)
}

/// Sets the number of images: exactly 1.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_n(
    request: Option<&mut gptimage_generate_request_t>,
    n: i64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_number(request, "n", n, error_out)
}

/// Sets the quality of jpeg and webp files in percent, 0 to 100. Server default: 100.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_output_compression(
    request: Option<&mut gptimage_generate_request_t>,
    percent: i64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_number(request, "output_compression", percent, error_out)
}

/// Sets a parameter by the API's name, also one that this header does not declare.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set(
    request: Option<&mut gptimage_generate_request_t>,
    name: *const c_char,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_named(request, name, value, error_out)
}

/// Adds fields that the API's documentation does not have, as a JSON object. Numbers are sent exactly as written.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_extra(
    request: Option<&mut gptimage_generate_request_t>,
    json: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_extra(request, json, error_out)
}

/// Sets the maximum duration of a call of this request in milliseconds. 0 means the client's deadline. Default: 0.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_deadline_ms(
    request: Option<&mut gptimage_generate_request_t>,
    deadline_ms: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_deadline_ms(request, deadline_ms, error_out)
}

/// Sets whether gptimage_client_generate_to() may replace an existing file. Default: 0.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_overwrite(
    request: Option<&mut gptimage_generate_request_t>,
    overwrite: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        spec.overwrite = overwrite != 0;
        Ok(())
    })
}

/// Sets whether only values that no server could accept are refused, to allow values that the API introduced after this
/// version of the library. Default: 0.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generate_request_set_structural_rules(
    request: Option<&mut gptimage_generate_request_t>,
    on: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        spec.structural_rules = on != 0;
        Ok(())
    })
}
