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

/// Creates a result with one image at the URL that the server gave for it earlier. Download it with
/// gptimage_client_fetch() or gptimage_client_fetch_to(). Free it with gptimage_generated_free().
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

/// Saves a copy of an image and waits until it is written. If `to` is an existing folder or ends in "/", a file name is
/// generated; a missing extension is added; an existing file is refused unless `overwrite` is not 0. The file appears
/// under its name only when it is complete. The format is never converted: an extension of another format is logged as
/// a warning.
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

/// Downloads an image of a result from its URL into memory and waits for it. An image that is in memory or in a file
/// already is left alone. Free of charge, and repeatable. Changes `generated`, which no other thread may use meanwhile.
/// The result inside an error cannot be changed: use gptimage_generated_copy() first. For a URL alone, use
/// gptimage_generated_from_url().
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

/// Downloads an image of a result to a file or folder and waits for it. If `to` is an existing folder or ends in "/", a
/// file name is generated; a missing extension is added; an existing file is refused unless `overwrite` is not 0. The
/// file appears under its name only when it is complete. An image that is in memory or in a file already is left alone,
/// and a copy of it is saved. Otherwise like gptimage_client_fetch().
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
