//! `gptimage_generated_t`.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use gptimage_core::{Generated, Image, ImageFormat};

use crate::bytes::gptimage_bytes_t;
use crate::ffi_error::FfiError;
use crate::infallible::infallible;
use crate::pointer::{borrowed, c_path, c_string};

/// The result of a call: the images, their cost and the attempts. May be read by any number of threads;
/// gptimage_client_fetch() and gptimage_client_fetch_to() change it.
#[derive(Debug)]
pub struct gptimage_generated_t {
    pub(crate) core: Generated,
    images: Vec<ImageTexts>,
    usd: Option<CString>,
    credits: Option<CString>,
    client_request_id: Option<CString>,
    inference_id: Option<CString>,
    json: OnceLock<CString>,
}

/// The texts of an image.
#[derive(Debug)]
struct ImageTexts {
    url: Option<CString>,
    path: Option<CString>,
    revised_prompt: Option<CString>,
}

impl ImageTexts {
    fn of(image: &Image) -> Self {
        Self {
            url: image.url().map(c_string),
            path: image.path().map(c_path),
            revised_prompt: image.revised_prompt().map(c_string),
        }
    }
}

impl gptimage_generated_t {
    pub(crate) fn new(core: Generated) -> Self {
        let cost = core.cost();
        Self {
            images: core.images().iter().map(ImageTexts::of).collect(),
            usd: cost.and_then(|cost| cost.usd).map(|usd| c_string(&usd.to_string())),
            credits: cost.and_then(|cost| cost.credits).map(|credits| c_string(&credits.to_string())),
            client_request_id: core.client_request_id().map(c_string),
            inference_id: core.inference_id().map(c_string),
            json: OnceLock::new(),
            core,
        }
    }

    pub(crate) fn image(&self, index: usize) -> Result<&Image, FfiError> {
        let images = self.core.images();
        images
            .get(index)
            .ok_or_else(|| FfiError::argument("index", &format!("is {index}, and there are {} images", images.len())))
    }
}

fn with_image<T>(
    generated: Option<&gptimage_generated_t>,
    index: usize,
    otherwise: T,
    read: impl FnOnce(&Image) -> T,
) -> T {
    match generated.and_then(|generated| generated.core.images().get(index)) {
        Some(image) => read(image),
        None => otherwise,
    }
}

fn text_of_image(
    generated: Option<&gptimage_generated_t>,
    index: usize,
    read: impl FnOnce(&ImageTexts) -> Option<&CString>,
) -> *const c_char {
    borrowed(generated.and_then(|generated| generated.images.get(index)).and_then(read))
}

/// Returns a copy of a result, for example of an error's, whose images can then be downloaded. Bytes in memory are
/// shared. NULL for NULL. Free it with gptimage_generated_free().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_copy(
    generated: Option<&gptimage_generated_t>,
) -> Option<Box<gptimage_generated_t>> {
    infallible(None, || generated.map(|generated| Box::new(gptimage_generated_t::new(generated.core.clone()))))
}

/// Frees a result, with every text and all bytes that came from it. `generated` may be NULL, but must not belong to an
/// error.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_free(generated: Option<Box<gptimage_generated_t>>) {
    infallible((), || drop(generated));
}

/// Returns the number of images. 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_image_count(generated: Option<&gptimage_generated_t>) -> usize {
    generated.map_or(0, |generated| generated.core.images().len())
}

/// Returns the file of an image that is in memory; no bytes if it is in a file or at its URL, or if the index is out of
/// range. Owned by the result until the image is downloaded again: do not free.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_image_bytes(
    generated: Option<&gptimage_generated_t>,
    index: usize,
) -> gptimage_bytes_t {
    with_image(generated, index, gptimage_bytes_t::NONE, |image| {
        image.bytes().map_or(gptimage_bytes_t::NONE, |bytes| gptimage_bytes_t::of(bytes))
    })
}

/// Returns the URL that the server gave for the image; NULL if it gave none. Lives as long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_image_url(
    generated: Option<&gptimage_generated_t>,
    index: usize,
) -> *const c_char {
    text_of_image(generated, index, |texts| texts.url.as_ref())
}

/// Returns the path of the file that the image was saved to by its call, in the system's own bytes; NULL if there is
/// none. Lives as long as the result, or until the image is downloaded.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_image_path(
    generated: Option<&gptimage_generated_t>,
    index: usize,
) -> *const c_char {
    text_of_image(generated, index, |texts| texts.path.as_ref())
}

/// Returns the prompt as rewritten by the model; NULL if the server did not state it. Lives as long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_image_revised_prompt(
    generated: Option<&gptimage_generated_t>,
    index: usize,
) -> *const c_char {
    text_of_image(generated, index, |texts| texts.revised_prompt.as_ref())
}

/// Returns the format, read from the bytes: "png", "jpeg" or "webp"; NULL if the image is still at its URL. Static: do
/// not free.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_image_format(
    generated: Option<&gptimage_generated_t>,
    index: usize,
) -> *const c_char {
    with_image(generated, index, std::ptr::null(), |image| match image.format() {
        Some(ImageFormat::Png) => c"png".as_ptr(),
        Some(ImageFormat::Jpeg) => c"jpeg".as_ptr(),
        Some(ImageFormat::Webp) => c"webp".as_ptr(),
        _ => std::ptr::null(),
    })
}

/// Returns the width in pixels, read from the bytes; 0 if the image is still at its URL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_image_width(generated: Option<&gptimage_generated_t>, index: usize) -> u32 {
    with_image(generated, index, 0, |image| image.dimensions().map_or(0, |(width, _)| width))
}

/// Returns the height in pixels, read from the bytes; 0 if the image is still at its URL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_image_height(generated: Option<&gptimage_generated_t>, index: usize) -> u32 {
    with_image(generated, index, 0, |image| image.dimensions().map_or(0, |(_, height)| height))
}

/// Returns the exact cost of the call in the vendor's credits, as decimal text; NULL if the server did not state it.
/// Lives as long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_credits_used(generated: Option<&gptimage_generated_t>) -> *const c_char {
    borrowed(generated.and_then(|generated| generated.credits.as_ref()))
}

/// Returns the exact cost of the call in US dollars, as decimal text; NULL if the server did not state it. Lives as
/// long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_usd_spent(generated: Option<&gptimage_generated_t>) -> *const c_char {
    borrowed(generated.and_then(|generated| generated.usd.as_ref()))
}

/// Returns the vendor's id of the inference; NULL if it is not known. Lives as long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_inference_id(generated: Option<&gptimage_generated_t>) -> *const c_char {
    borrowed(generated.and_then(|generated| generated.inference_id.as_ref()))
}

/// Returns the client request id of the successful attempt; NULL if there is none. Lives as long as the result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_client_request_id(generated: Option<&gptimage_generated_t>) -> *const c_char {
    borrowed(generated.and_then(|generated| generated.client_request_id.as_ref()))
}

/// Returns the number of attempts, including the successful one. 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_attempt_count(generated: Option<&gptimage_generated_t>) -> usize {
    generated.map_or(0, |generated| generated.core.attempts().len())
}

/// Returns the result as a JSON object, without pixels: images, cost, ids, attempts, warnings. "{}" for NULL. Lives as
/// long as the result, or until an image is downloaded.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_json(generated: Option<&gptimage_generated_t>) -> *const c_char {
    let empty = c"{}".as_ptr();
    infallible(empty, || {
        generated.map_or(empty, |generated| {
            let json = || c_string(&serde_json::to_string(&generated.core).unwrap_or_default());
            generated.json.get_or_init(json).as_ptr()
        })
    })
}
