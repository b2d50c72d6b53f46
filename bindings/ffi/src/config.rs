//! Configurations.

use std::ffi::{c_char, c_int};
use std::mem::MaybeUninit;
use std::time::Duration;

use gptimage_core::{Config, Timers};

use crate::budget::gptimage_budget_t;
use crate::error::gptimage_error_t;
use crate::fallible::fallible;
use crate::ffi_error::FfiError;
use crate::infallible::infallible;
use crate::pointer::{path, required, text};
use crate::status::gptimage_status_t;

/// What a client is reported once. Entry thread at a time.
pub struct gptimage_config_t {
    pub(crate) config: Config,
    timers: Timers,
}

impl gptimage_config_t {
    fn change(&mut self, change: impl FnOnce(Config) -> Config) {
        self.config = change(std::mem::take(&mut self.config));
    }
}

fn set(
    config: Option<&mut gptimage_config_t>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
    change: impl FnOnce(&mut gptimage_config_t) -> Result<(), FfiError>,
) -> gptimage_status_t {
    fallible(error_out, || change(required(config, "config")?))
}

/// A configuration with key and base URL from the environment (AIMLAPI_KEY, AIMLAPI_API_KEY or AIML_API_KEY, in this spec;
/// AIMLAPI_BASE_URL, AIMLAPI_API_BASE or AIML_API_BASE) and every default. It is judged when a client is made of it. Free
/// it with gptimage_config_free().
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_new() -> Box<gptimage_config_t> {
    Box::new(gptimage_config_t { config: Config::from_env(), timers: Timers::default() })
}

/// Frees a configuration; clients made of it are not concerned. NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_free(config: Option<Box<gptimage_config_t>>) {
    infallible((), || drop(config));
}

/// The API key. Sent to the base URL's origin alone, printed nowhere.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_api_key(
    config: Option<&mut gptimage_config_t>,
    key: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let key = text(key, "key")?;
        config.change(|config| config.api_key(key));
        Ok(())
    })
}

/// Where the API is: https, or http on this machine; with or without "/v1". An endpoint that was pasted with it
/// ("/v1/images/generations") is left out. Entry that ends in "#" is taken exactly as it is.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_base_url(
    config: Option<&mut gptimage_config_t>,
    url: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let url = text(url, "url")?;
        config.change(|config| config.base_url(url));
        Ok(())
    })
}

/// Whether plain http to another machine is allowed, which shows it the key and everybody between. 0 unless set.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_allow_http(
    config: Option<&mut gptimage_config_t>,
    allow: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|config| config.allow_http(allow != 0));
        Ok(())
    })
}

/// The longest that a call may take in all, in milliseconds, attempts and waits included; 0: no bound, as it is unless set.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_deadline_ms(
    config: Option<&mut gptimage_config_t>,
    deadline_ms: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|config| config.deadline((deadline_ms > 0).then(|| Duration::from_millis(deadline_ms))));
        Ok(())
    })
}

/// Most attempts of a call, the first included. Only what provably cost nothing is tried again. 3 unless set.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_max_attempts(
    config: Option<&mut gptimage_config_t>,
    attempts: u32,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|config| config.max_attempts(attempts));
        Ok(())
    })
}

/// Sets a timer by its name, in milliseconds: "connect" (10 s), "send_stall" (90 s), "head" (15 min), "body_stall" (4 min),
/// "backoff_first" (0.5 s), "backoff_longest" (8 s), "retry_after_longest" (120 s), "url_not_found" (120 s),
/// "log" (60 s), "keepalive_idle" (15 s), "keepalive_interval" (15 s), "user_timeout" (120 s).
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
        config.change(|config| config.timers(timers));
        Ok(())
    })
}

/// A file (PEM or DER) or folder of certificates that are trusted beside the system's: of authorities, or a server's own.
/// Unless set, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE may name one. SSL_CERT_FILE and SSL_CERT_DIR take the system's place.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_ca_file(
    config: Option<&mut gptimage_config_t>,
    file: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let file = path(file, "file")?;
        config.change(|config| config.ca_file(file));
        Ok(())
    })
}

/// A proxy for every request, such as "http://host:3128" or "socks5h://host:1080", also to this machine itself; "" for
/// none. Unless set, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY decide, and never for this machine itself. Entry that
/// cannot be used is GPTIMAGE_STATUS_CONFIG when a client is made: nothing goes past a proxy that was asked for.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_proxy(
    config: Option<&mut gptimage_config_t>,
    url: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let url = text(url, "url")?;
        config.change(|config| if url.is_empty() { config.no_proxy() } else { config.proxy(url) });
        Ok(())
    })
}

/// Entry more header on every request to the gateway; never sent to where pictures are downloaded from.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_add_header(
    config: Option<&mut gptimage_config_t>,
    name: *const c_char,
    value: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let (name, value) = (text(name, "name")?, text(value, "value")?);
        config.change(|config| config.header(name, value));
        Ok(())
    })
}

/// Whether pictures that come as URLs are fetched at once. 1 unless set.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_fetch(
    config: Option<&mut gptimage_config_t>,
    fetch: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|config| config.fetch(fetch != 0));
        Ok(())
    })
}

/// Whether a 5xx in the vendor's own words is tried again, which may be paid twice. 0 unless set.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_retry_server_errors(
    config: Option<&mut gptimage_config_t>,
    retry: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|config| config.retry_server_errors(retry != 0));
        Ok(())
    })
}

/// Whether a call that is cancelled after it was sent is given up. 0 unless set: it runs on, and
/// gptimage_client_collect() has its result.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_abort_on_cancel(
    config: Option<&mut gptimage_config_t>,
    abort: c_int,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|config| config.abort_on_cancel(abort != 0));
        Ok(())
    })
}

/// The longest picture that is accepted, in bytes. 64 MiB unless set.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_max_image_bytes(
    config: Option<&mut gptimage_config_t>,
    bytes: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|config| config.max_image_bytes(bytes));
        Ok(())
    })
}

/// The most bytes of pictures that are kept in memory for gptimage_client_collect(). Default: 256 MiB.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_salvage_max_bytes(
    config: Option<&mut gptimage_config_t>,
    bytes: u64,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        config.change(|config| config.salvage_max_bytes(bytes));
        Ok(())
    })
}

/// A folder that keeps the results of calls whose callers are gone, in place of memory and across processes: any client of
/// this folder collects them. It is made where it is missing. None unless set.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_salvage_folder(
    config: Option<&mut gptimage_config_t>,
    folder: *const c_char,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let folder = path(folder, "folder")?;
        config.change(|config| config.salvage_folder(folder));
        Ok(())
    })
}

/// What the client's calls may cost together, and with those of every other client of this budget. No limit unless set.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_config_set_budget(
    config: Option<&mut gptimage_config_t>,
    budget: Option<&gptimage_budget_t>,
    error_out: Option<&mut MaybeUninit<*mut gptimage_error_t>>,
) -> gptimage_status_t {
    set(config, error_out, |config| {
        let budget = required(budget, "budget")?.core();
        config.change(|config| config.budget(budget));
        Ok(())
    })
}
