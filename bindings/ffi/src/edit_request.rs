//! Requests to edit images.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;

use gptimage_binding::CallSpec;
use gptimage_core::{ImageInput, Operation};

use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::infallible::infallible;
use crate::pointer::{bytes, hand_over, path, required, text};
use crate::request::{RequestHandle, change, set, set_deadline_ms, set_extra, set_named, set_number};
use crate::status::gptimage_status_t;

/// A request to edit images. Used by one thread at a time; may be sent more than once.
pub struct gptimage_edit_request_t(pub(crate) CallSpec);

impl RequestHandle for gptimage_edit_request_t {
    fn spec(&mut self) -> &mut CallSpec {
        &mut self.0
    }
}

/// Creates a request. `prompt` describes the image in 1 to 32,000 characters of UTF-8. Parameters that are not set are
/// not sent; the server has defaults for them. All values are validated together when the request is sent. Free the
/// request with gptimage_edit_request_free().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_new(
    prompt: *const c_char,
    request_out: Option<&mut MaybeUninit<*mut gptimage_edit_request_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let out = required(request_out, "request_out")?;
        let spec = CallSpec::new(Operation::Edit, text(prompt, "prompt")?);
        hand_over(out, gptimage_edit_request_t(spec));
        Ok(())
    })
}

/// Frees a request. Calls that use it are not affected. `request` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_free(request: Option<Box<gptimage_edit_request_t>>) {
    infallible((), || drop(request));
}

/// Sets the model. Default: "openai/gpt-image-2".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_model(
    request: Option<&mut gptimage_edit_request_t>,
    model: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "model", model, error_out)
}

/// Sets the width × height in pixels: "1024x1024", "1024x1536" or "1536x1024". Server default: "1024x1024".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_size(
    request: Option<&mut gptimage_edit_request_t>,
    size: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "size", size, error_out)
}

/// Sets the quality: "low", "medium" or "high". Server default: "medium".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_quality(
    request: Option<&mut gptimage_edit_request_t>,
    quality: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "quality", quality, error_out)
}

/// Sets the file format: "png", "jpeg" or "webp". Server default: "png".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_output_format(
    request: Option<&mut gptimage_edit_request_t>,
    output_format: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "output_format", output_format, error_out)
}

/// Sets the background: "auto", "transparent" (png and webp only) or "opaque". Server default: "auto".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_background(
    request: Option<&mut gptimage_edit_request_t>,
    background: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "background", background, error_out)
}

/// Sets how the server returns images: "url" or "b64_json". Server default: "url".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_response_format(
    request: Option<&mut gptimage_edit_request_t>,
    response_format: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "response_format", response_format, error_out)
}

/// Sets the number of images, 1 to 10. Server default: 1.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_n(
    request: Option<&mut gptimage_edit_request_t>,
    n: i64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_number(request, "n", n, error_out)
}

/// Sets the quality of jpeg and webp files in percent, 0 to 100. Server default: 100.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_output_compression(
    request: Option<&mut gptimage_edit_request_t>,
    percent: i64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_number(request, "output_compression", percent, error_out)
}

/// Sets a parameter by the API's name, also one that this header does not declare.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set(
    request: Option<&mut gptimage_edit_request_t>,
    name: *const c_char,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_named(request, name, value, error_out)
}

/// Adds fields that the API's documentation does not have, as a JSON object. Numbers are sent exactly as written.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_extra(
    request: Option<&mut gptimage_edit_request_t>,
    json: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_extra(request, json, error_out)
}

/// Adds an image by path, after those added before; 1 to 16 in all. The file must be a PNG, JPEG or WebP of at most 50
/// MB. It is streamed from disk when the request is sent.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_add_image_path(
    request: Option<&mut gptimage_edit_request_t>,
    file: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        spec.images.push(ImageInput::path(path(file, "file")?).into());
        Ok(())
    })
}

/// Adds an image from memory; the bytes are copied. `data` may be NULL only if `len` is 0, which makes an empty file
/// that is refused when the request is sent. Otherwise like gptimage_edit_request_add_image_path().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_add_image_bytes(
    request: Option<&mut gptimage_edit_request_t>,
    data: *const u8,
    len: usize,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        spec.images.push(ImageInput::bytes(bytes(data, len, "data")?).into());
        Ok(())
    })
}

/// Sets the mask by path: a PNG under 4 MB with the dimensions of the first image. That image is edited where the mask
/// is transparent.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_mask_path(
    request: Option<&mut gptimage_edit_request_t>,
    file: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        spec.mask = Some(ImageInput::path(path(file, "file")?).into());
        Ok(())
    })
}

/// Sets the mask from memory; the bytes are copied. `data` may be NULL only if `len` is 0, which makes an empty file
/// that is refused when the request is sent. Otherwise like gptimage_edit_request_set_mask_path().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_mask_bytes(
    request: Option<&mut gptimage_edit_request_t>,
    data: *const u8,
    len: usize,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        spec.mask = Some(ImageInput::bytes(bytes(data, len, "data")?).into());
        Ok(())
    })
}

/// Sets the maximum duration of a call of this request in milliseconds. 0 means the client's deadline. Default: 0.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_deadline_ms(
    request: Option<&mut gptimage_edit_request_t>,
    deadline_ms: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_deadline_ms(request, deadline_ms, error_out)
}

/// Sets whether gptimage_client_edit_to() may replace an existing file. Default: 0.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_overwrite(
    request: Option<&mut gptimage_edit_request_t>,
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
pub extern "C" fn gptimage_edit_request_set_structural_rules(
    request: Option<&mut gptimage_edit_request_t>,
    on: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    change(request, error_out, |spec| {
        spec.structural_rules = on != 0;
        Ok(())
    })
}
