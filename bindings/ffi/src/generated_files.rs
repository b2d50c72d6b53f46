//! Downloading and saving the images of a result.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;

use gptimage_core::{Error, Generated, Image, Location, SaveTo};

use crate::client::gptimage_client_t;
use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::ffi_error::FfiError;
use crate::generated::gptimage_generated_t;
use crate::pointer::{hand_over, path, required, text};
use crate::status::gptimage_status_t;
use crate::wait::{wait_for, with_files};

/// Replaces an image by the downloaded one.
fn fetch<F>(
    generated: &mut gptimage_generated_t,
    index: usize,
    fetch: impl FnOnce(Image) -> F + Send + 'static,
) -> Result<(), FfiError>
where
    F: Future<Output = Result<Image, Error>> + Send + 'static,
{
    let image = generated.image(index)?.clone();
    let fetched = wait_for(move || fetch(image))??;
    *generated = gptimage_generated_t::new(generated.core.clone().with_image(index, fetched));
    Ok(())
}

/// A picture that was made earlier, at the link that the server gave, as a result of which nothing else is known:
/// gptimage_client_fetch() and gptimage_client_fetch_to() get it. Free it with gptimage_generated_free().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_from_url(
    url: *const c_char,
    generated_out: Option<&mut MaybeUninit<*mut gptimage_generated_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let (url, out) = (text(url, "url")?, required(generated_out, "generated_out")?);
        hand_over(out, gptimage_generated_t::new(Generated::of_image(Image::from_url(url))));
        Ok(())
    })
}

/// Saves a copy of a picture to a file or folder: whole, under its final name, or not at all. An existing folder or a path
/// that ends in "/" takes a name of the library's making; a missing extension is added; what exists is refused, unless
/// `overwrite` is not 0. Nothing is converted: an extension of another format is logged as a warning.
/// Waits until it is done.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_generated_image_save(
    generated: Option<&gptimage_generated_t>,
    index: usize,
    to: *const c_char,
    overwrite: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let (image, to) = (required(generated, "generated")?.image(index)?.clone(), path(to, "to")?);
        with_files(move || image.save(SaveTo::from(to).overwrite(overwrite != 0)))??;
        Ok(())
    })
}

/// Fetches a picture that is still at its URL, into memory, and waits for it; one that is here already stays as it is. Free,
/// so as often as wanted. Changes `generated`, which no other thread may use meanwhile. Of an error's, which does not change,
/// fetch a gptimage_generated_copy(); of a link alone, what gptimage_generated_from_url() makes of it.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_fetch(
    client: Option<&gptimage_client_t>,
    generated: Option<&mut gptimage_generated_t>,
    index: usize,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let client = required(client, "client")?.core()?;
        fetch(required(generated, "generated")?, index, |image| async move { client.fetch(&image).await })
    })
}

/// As gptimage_client_fetch(), straight into a file or folder: an existing folder or a path that ends in "/" takes a name of
/// the library's making, a missing extension is added; what exists is refused, unless `overwrite` is not 0. A file has its
/// name once it is whole, or not at all. A picture that is here already stays as it is, and a copy of it is saved there.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_fetch_to(
    client: Option<&gptimage_client_t>,
    generated: Option<&mut gptimage_generated_t>,
    index: usize,
    to: *const c_char,
    overwrite: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let client = required(client, "client")?.core()?;
        let to = SaveTo::from(path(to, "to")?).overwrite(overwrite != 0);
        let generated = required(generated, "generated")?;
        let image = generated.image(index)?;
        if !matches!(image.location(), Location::Url) {
            let image = image.clone();
            return Ok(with_files(move || image.save(to).map(drop))??);
        }
        fetch(generated, index, |image| async move { client.fetch_to(&image, to).await })
    })
}
