//! Clients.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};

use gptimage_binding::{CallSpec, ProcessLocal};
use gptimage_core::{CancelToken, Client};

use crate::callback::UserData;
use crate::cancel::gptimage_cancel_token_t;
use crate::config::gptimage_config_t;
use crate::edit_request::gptimage_edit_request_t;
use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::ffi_error::FfiError;
use crate::generate_request::gptimage_generate_request_t;
use crate::generated::gptimage_generated_t;
use crate::infallible::infallible;
use crate::pointer::{hand_over, path, required};
use crate::process;
use crate::progress::{ProgressCallback, gptimage_progress_callback_t};
use crate::start::{keep, send_and_wait, write_result};
use crate::status::gptimage_status_t;
use crate::wait::{wait_for, with_files};

/// Makes and edits images. May be shared by any number of threads. A client belongs to the process that created it: in
/// a forked child its functions fail with GPTIMAGE_STATUS_CONFIG and freeing it does nothing; the child creates a
/// client of its own.
pub struct gptimage_client_t {
    client: ProcessLocal<Client>,
    listener: Mutex<Option<ProgressCallback>>,
}

impl gptimage_client_t {
    pub(crate) fn core(&self) -> Result<Client, FfiError> {
        self.client.get().cloned().ok_or_else(|| {
            FfiError::config(
                "this client belongs to the process that made it, of which this one is a fork: make a new one",
            )
        })
    }

    pub(crate) fn listener(&self) -> Option<ProgressCallback> {
        // In a forked child the lock may be held for ever. There, `core` has already returned an error.
        self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Creates a client. `config` may be NULL to read the configuration from the environment; it can be freed afterwards.
/// Free the client with gptimage_client_free().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_new(
    config: Option<&gptimage_config_t>,
    client_out: Option<&mut MaybeUninit<*mut gptimage_client_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let out = required(client_out, "client_out")?;
        let builder = config.map_or_else(|| Client::builder().read_env(), |config| config.builder.clone());
        // This reads certificate files, which must not be done on a host's thread.
        let client = with_files(|| builder.build())??;
        hand_over(out, gptimage_client_t { client: ProcessLocal::new(client), listener: Mutex::new(None) });
        Ok(())
    })
}

/// Frees a client, at any time. Jobs and calls in flight continue. When this returns, the progress callback is not
/// running and is never called again, unless it is the caller itself. `client` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_free(client: Option<Box<gptimage_client_t>>) {
    infallible((), || {
        let Some(client) = client else { return };
        if client.client.get().is_some()
            && let Some(listener) = client.listener()
        {
            listener.callbacks.unregister(listener.owner);
        }
        if client.client.get().is_none() {
            std::mem::forget(client);
        }
    });
}

/// Sets the progress callback for all later calls of this client and replaces the previous one. `callback` may be NULL
/// to remove it. When this returns, the previous callback is not running and is never called again, unless it is the
/// caller itself.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_set_progress(
    client: Option<&gptimage_client_t>,
    callback: gptimage_progress_callback_t,
    user_data: *mut c_void,
) {
    infallible((), || {
        let (Some(client), Ok(process)) = (client, process::get_or_start()) else { return };
        if client.client.get().is_none() {
            return;
        }
        let listener =
            callback.map(|callback| ProgressCallback::new(&process.callbacks, callback, UserData::new(user_data)));
        let before = std::mem::replace(&mut *client.listener.lock().unwrap_or_else(PoisonError::into_inner), listener);
        if let Some(before) = before {
            before.callbacks.unregister(before.owner);
        }
    });
}

fn run(
    client: Option<&gptimage_client_t>,
    spec: impl FnOnce() -> Result<CallSpec, FfiError>,
    cancel: Option<&gptimage_cancel_token_t>,
    generated_out: Option<&mut MaybeUninit<*mut gptimage_generated_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    let reported = error_out.is_some();
    fallible(error_out, || {
        let client = required(client, "client")?;
        let out = required(generated_out, "generated_out")?;
        let token: Option<CancelToken> = cancel.map(|cancel| cancel.core().clone());
        let core = client.core()?;
        let outcome = send_and_wait(core.clone(), spec()?, token, client.listener());
        write_result(outcome, out, reported, |outcome| keep(&core, outcome))
    })
}

/// Makes an image, keeps it in memory, and waits for the result. `cancel` may be NULL. Free the result with
/// gptimage_generated_free(). On failure there is no result; images that were paid for are in the error
/// (gptimage_error_generated()). If `error_out` is NULL, an error that may have cost something is kept for
/// gptimage_client_collect().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_generate(
    client: Option<&gptimage_client_t>,
    request: Option<&gptimage_generate_request_t>,
    cancel: Option<&gptimage_cancel_token_t>,
    generated_out: Option<&mut MaybeUninit<*mut gptimage_generated_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    run(client, || Ok(required(request, "request")?.0.clone()), cancel, generated_out, error_out)
}

/// Edits images, keeps the results in memory, and waits for them. Otherwise like gptimage_client_generate().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_edit(
    client: Option<&gptimage_client_t>,
    request: Option<&gptimage_edit_request_t>,
    cancel: Option<&gptimage_cancel_token_t>,
    generated_out: Option<&mut MaybeUninit<*mut gptimage_generated_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    run(client, || Ok(required(request, "request")?.0.clone()), cancel, generated_out, error_out)
}

/// Makes an image, saves it to a file while it arrives, and waits for the result. If `to` is an existing folder or ends
/// in "/", a file name is generated; a missing extension is added; an existing file is refused before anything is sent.
/// The file appears under its name only when it is complete. If `output_format` is not set, the extension .jpg, .jpeg,
/// .jpe, .jfif, .webp or .png selects it; a contradiction is refused. Otherwise like gptimage_client_generate().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_generate_to(
    client: Option<&gptimage_client_t>,
    request: Option<&gptimage_generate_request_t>,
    to: *const c_char,
    cancel: Option<&gptimage_cancel_token_t>,
    generated_out: Option<&mut MaybeUninit<*mut gptimage_generated_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    let spec = || Ok(CallSpec { save_to: Some(path(to, "to")?), ..required(request, "request")?.0.clone() });
    run(client, spec, cancel, generated_out, error_out)
}

/// Edits images and saves the results to files; several images are numbered. Otherwise like
/// gptimage_client_generate_to().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_edit_to(
    client: Option<&gptimage_client_t>,
    request: Option<&gptimage_edit_request_t>,
    to: *const c_char,
    cancel: Option<&gptimage_cancel_token_t>,
    generated_out: Option<&mut MaybeUninit<*mut gptimage_generated_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    let spec = || Ok(CallSpec { save_to: Some(path(to, "to")?), ..required(request, "request")?.0.clone() });
    run(client, spec, cancel, generated_out, error_out)
}

/// Returns the outcome of a call whose caller was gone (cancelled, past its deadline, or its job freed) after the
/// request had been sent: a result, or the error that says what the call cost; the status is then the error's. Each
/// outcome is returned once. If there is none, the status is GPTIMAGE_STATUS_OK and `*generated_out` is set to NULL.
/// `wait_ms` is the maximum time to wait for such calls in flight, in milliseconds; 0 does not wait.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_client_collect(
    client: Option<&gptimage_client_t>,
    wait_ms: u64,
    generated_out: Option<&mut MaybeUninit<*mut gptimage_generated_t>>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    fallible(error_out, || {
        let client = required(client, "client")?.core()?;
        let out = required(generated_out, "generated_out")?;
        if wait_ms > 0 {
            let waiting = client.clone();
            let limit = std::time::Duration::from_millis(wait_ms);
            // A timeout is not an error: return what there is.
            wait_for(move || async move { drop(tokio::time::timeout(limit, waiting.drain()).await) })?;
        }
        let keeper = client.clone();
        match with_files(move || client.collect_one())? {
            Some(outcome) => {
                write_result(outcome.map_err(FfiError::from), out, true, |outcome| keep(&keeper, outcome))?
            }
            None => drop(out.write(std::ptr::null_mut())),
        }
        Ok(())
    })
}
