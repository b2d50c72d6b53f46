//! Requests to edit pictures.

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

/// A request to edit pictures. Entry thread at a time; several calls may be made of it.
pub struct gptimage_edit_request_t(pub(crate) CallSpec);

impl RequestHandle for gptimage_edit_request_t {
    fn spec(&mut self) -> &mut CallSpec {
        &mut self.0
    }
}

/// Begins a request; `prompt` says what is to be seen, in 1 to 32,000 characters of UTF-8. What is not set is not sent: the
/// server has defaults of its own. All values are judged together when the request is sent. Free it with
/// gptimage_edit_request_free().
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

/// Frees a request; calls that were made of it are not concerned. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_free(request: Option<Box<gptimage_edit_request_t>>) {
    infallible((), || drop(request));
}

/// The model; "openai/gpt-image-2" unless set.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_model(
    request: Option<&mut gptimage_edit_request_t>,
    model: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "model", model, error_out)
}

/// Width × height in pixels: "1024x1024" (the server's default), "1024x1536" or "1536x1024".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_size(
    request: Option<&mut gptimage_edit_request_t>,
    size: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "size", size, error_out)
}

/// "low", "medium" (the server's default) or "high".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_quality(
    request: Option<&mut gptimage_edit_request_t>,
    quality: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "quality", quality, error_out)
}

/// "png" (the server's default), "jpeg" or "webp".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_output_format(
    request: Option<&mut gptimage_edit_request_t>,
    output_format: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "output_format", output_format, error_out)
}

/// "auto" (the server's default), "transparent" (png and webp only) or "opaque".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_background(
    request: Option<&mut gptimage_edit_request_t>,
    background: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "background", background, error_out)
}

/// "url" (the server's default) or "b64_json".
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_response_format(
    request: Option<&mut gptimage_edit_request_t>,
    response_format: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(request, "response_format", response_format, error_out)
}

/// How many pictures: 1 (the server's default) to 10.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_n(
    request: Option<&mut gptimage_edit_request_t>,
    n: i64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_number(request, "n", n, error_out)
}

/// Quality of jpeg and webp in percent, 0 to 100 (the server's default).
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_output_compression(
    request: Option<&mut gptimage_edit_request_t>,
    percent: i64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_number(request, "output_compression", percent, error_out)
}

/// Any parameter by the API's name, for those that this header does not name.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set(
    request: Option<&mut gptimage_edit_request_t>,
    name: *const c_char,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_named(request, name, value, error_out)
}

/// Fields beyond the API's documentation, as a JSON object. Numbers are sent as they are written, whatever their length.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_extra(
    request: Option<&mut gptimage_edit_request_t>,
    json: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_extra(request, json, error_out)
}

/// Entry more image, after those given already, 1 to 16 in all: the path of a PNG, JPEG or WebP of at most 50 MB, which is
/// streamed from disk when the request is sent.
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

/// As gptimage_edit_request_add_image_path(), of a file's bytes, which are copied now. NULL is refused, unless `len` is 0:
/// then it is an empty file, which the rules refuse when the request is sent.
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

/// Where the first image may be edited: the path of a PNG of that image's size, under 4 MB, that is transparent there.
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

/// As gptimage_edit_request_set_mask_path(), of a file's bytes, which are copied now. NULL is refused, unless `len` is 0:
/// then it is an empty file, which the rules refuse when the request is sent.
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

/// The longest that calls of this request may take in all, in milliseconds; 0: as the client has it.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_edit_request_set_deadline_ms(
    request: Option<&mut gptimage_edit_request_t>,
    deadline_ms: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set_deadline_ms(request, deadline_ms, error_out)
}

/// Whether gptimage_client_edit_to() may replace a file. 0 unless set.
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

/// Whether only what no server could accept is refused, for values that the API learned after this library was made. 0
/// unless set.
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
