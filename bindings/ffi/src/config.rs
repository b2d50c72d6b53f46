//! Configurations.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;
use std::time::Duration;

use gptimage_core::{Client, ClientBuilder, Timers};

use crate::budget::gptimage_budget_t;
use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::ffi_error::FfiError;
use crate::infallible::infallible;
use crate::pointer::{path, required, text};
use crate::status::gptimage_status_t;

/// The configuration of a client. Used by one thread at a time.
pub struct gptimage_config_t {
    pub(crate) builder: ClientBuilder<Client>,
    timers: Timers,
}

impl gptimage_config_t {
    fn change(&mut self, change: impl FnOnce(ClientBuilder<Client>) -> ClientBuilder<Client>) {
        self.builder = change(std::mem::take(&mut self.builder));
    }
}

fn set(
    config: Option<&mut gptimage_config_t>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
    change: impl FnOnce(&mut gptimage_config_t) -> Result<(), FfiError>,
) -> gptimage_status_t {
    fallible(error_out, || change(required(config, "config")?))
}

/// Creates a configuration with the key and base URL from the environment (AIMLAPI_KEY, AIMLAPI_API_KEY or
/// AIML_API_KEY, in this order; AIMLAPI_BASE_URL, AIMLAPI_API_BASE or AIML_API_BASE) and default values. It is
/// validated by gptimage_client_new(). Free it with gptimage_config_free().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_new() -> Box<gptimage_config_t> {
    Box::new(gptimage_config_t { builder: Client::builder().read_env(), timers: Timers::default() })
}

/// Frees a configuration. Clients that were created from it are not affected. `config` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_free(config: Option<Box<gptimage_config_t>>) {
    infallible((), || drop(config));
}

/// Sets the API key. It is sent only to the origin of the base URL, and never printed.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_api_key(
    config: Option<&mut gptimage_config_t>,
    key: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let key = text(key, "key")?;
        config.change(|builder| builder.api_key(key));
        Ok(())
    })
}

/// Sets the base URL of the API: https, or http on this machine, with or without "/v1". A pasted endpoint path such as
/// "/v1/images/generations" is removed. A URL that ends in "#" is used exactly as it is.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_base_url(
    config: Option<&mut gptimage_config_t>,
    url: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let url = text(url, "url")?;
        config.change(|builder| builder.base_url(url));
        Ok(())
    })
}

/// Sets whether plain http to another machine is allowed, which exposes the key to the network. Default: 0.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_allow_http(
    config: Option<&mut gptimage_config_t>,
    allow: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|builder| builder.allow_http(allow != 0));
        Ok(())
    })
}

/// Sets the maximum duration of a call in milliseconds, including all attempts and waits. 0 means no limit. Default: 0.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_deadline_ms(
    config: Option<&mut gptimage_config_t>,
    deadline_ms: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|builder| builder.deadline((deadline_ms > 0).then(|| Duration::from_millis(deadline_ms))));
        Ok(())
    })
}

/// Sets the maximum number of attempts of a call, including the first. Only an attempt that provably cost nothing is
/// retried. Default: 3.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_max_attempts(
    config: Option<&mut gptimage_config_t>,
    attempts: u32,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|builder| builder.max_attempts(attempts));
        Ok(())
    })
}

/// Sets a timer by name, in milliseconds. Names and defaults: "connect" (10 s), "write" (90 s), "response_header" (15 min),
/// "read" (4 min), "initial_backoff" (0.5 s), "max_backoff" (8 s), "max_retry_after" (120 s),
/// "url_not_found" (120 s), "usage_log" (60 s), "tcp_keepalive_idle" (15 s), "tcp_keepalive_interval" (15 s), "tcp_user_timeout" (120 s).
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_timer_ms(
    config: Option<&mut gptimage_config_t>,
    name: *const c_char,
    value_ms: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.timers.set(text(name, "name")?, Duration::from_millis(value_ms).as_secs_f64())?;
        let timers = config.timers.clone();
        config.change(|builder| builder.timers(timers));
        Ok(())
    })
}

/// Sets a file (PEM or DER) or folder of certificates to trust in addition to the system's: authorities, or a server's
/// own certificate. Default: the file that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names, if set. SSL_CERT_FILE and
/// SSL_CERT_DIR replace the system's certificates.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_ca_file(
    config: Option<&mut gptimage_config_t>,
    file: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let file = path(file, "file")?;
        config.change(|builder| builder.ca_file(file));
        Ok(())
    })
}

/// Sets a proxy for all requests, including those to this machine, such as "http://host:3128" or "socks5h://host:1080";
/// "" for no proxy. Default: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY decide, never for this machine. A proxy
/// that cannot be used makes gptimage_client_new() fail with GPTIMAGE_STATUS_CONFIG; requests never bypass a configured
/// proxy.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_proxy(
    config: Option<&mut gptimage_config_t>,
    url: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let url = text(url, "url")?;
        config.change(|builder| if url.is_empty() { builder.no_proxy() } else { builder.proxy(url) });
        Ok(())
    })
}

/// Adds a header to every request to the gateway. It is never sent to the servers that images are downloaded from.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_add_header(
    config: Option<&mut gptimage_config_t>,
    name: *const c_char,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let (name, value) = (text(name, "name")?, text(value, "value")?);
        config.change(|builder| builder.header(name, value));
        Ok(())
    })
}

/// Sets whether images that arrive as URLs are downloaded at once. Default: 1.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_fetch(
    config: Option<&mut gptimage_config_t>,
    fetch: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|builder| builder.fetch(fetch != 0));
        Ok(())
    })
}

/// Sets whether a 5xx in the gateway's own error format is retried, which may be charged twice. Default: 0.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_retry_server_errors(
    config: Option<&mut gptimage_config_t>,
    retry: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|builder| builder.retry_server_errors(retry != 0));
        Ok(())
    })
}

/// Sets whether a call that is cancelled after it was sent is aborted. Default: 0: it continues, and
/// gptimage_client_collect() returns its outcome.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_abort_on_cancel(
    config: Option<&mut gptimage_config_t>,
    abort: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|builder| builder.abort_on_cancel(abort != 0));
        Ok(())
    })
}

/// Sets the maximum size of an image in bytes. Default: 64 MiB.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_max_image_bytes(
    config: Option<&mut gptimage_config_t>,
    bytes: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|builder| builder.max_image_bytes(bytes));
        Ok(())
    })
}

/// Sets the maximum number of bytes of pictures kept in memory for gptimage_client_collect(). Default: 256 MiB.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_salvage_max_bytes(
    config: Option<&mut gptimage_config_t>,
    bytes: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|builder| builder.salvage_max_bytes(bytes));
        Ok(())
    })
}

/// Sets a folder that keeps the outcomes of calls whose callers are gone, instead of memory: any client with this
/// folder can collect them, also in another process. The folder is created if it does not exist. Default: none.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_salvage_folder(
    config: Option<&mut gptimage_config_t>,
    folder: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let folder = path(folder, "folder")?;
        config.change(|builder| builder.salvage_folder(folder));
        Ok(())
    })
}

/// Sets a budget for the calls of the client, which it shares with every other client of this budget. Default: no
/// limit.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_budget(
    config: Option<&mut gptimage_config_t>,
    budget: Option<&gptimage_budget_t>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let budget = required(budget, "budget")?.core();
        config.change(|builder| builder.budget(budget));
        Ok(())
    })
}
