//! Sequences of C calls: any function, in any order, with NULL, with texts that are not UTF-8 and with handles in
//! every state. At the end all handles are freed.
#![allow(unsafe_code, reason = "it calls C functions as a C program does")]

use std::ffi::{CStr, CString, c_void};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use gptimage_emulator::Emulator;

use crate::bytes::Bytes;
#[allow(clippy::wildcard_imports, reason = "these are one header's names")]
use crate::c_functions::*;
use crate::trust;

const PICTURE: &[u8] = include_bytes!("../../tests/fixtures/rgba-4x4.png");
/// Maximum number of calls. Longer sequences find nothing more, and every call takes time.
const CALLS_MAX: usize = 48;
const OK: i32 = 0;
const NAMES: [&CStr; 8] =
    [c"size", c"quality", c"n", c"response_format", c"connect", c"response_header", c"tcp_keepalive_probes", c"model"];
const VALUES: [&CStr; 8] = [c"1024x1024", c"b64_json", c"url", c"low", c"1", c"openai/gpt-image-2", c"{\"a\": 1}", c""];

static CALLED_BACK: AtomicUsize = AtomicUsize::new(0);

extern "C" fn called_back(_: Handle, _: *mut c_void) {
    CALLED_BACK.fetch_add(1, Ordering::Relaxed);
}

extern "C" fn progressed(_: *const c_void, _: *mut c_void) {}

/// Returns the URL of one emulator that all sequences share.
fn base_url() -> CString {
    static EMULATOR: OnceLock<Emulator> = OnceLock::new();
    let emulator = EMULATOR.get_or_init(|| Emulator::builder().canned(PICTURE).balance_usd("1000000").spawn().unwrap());
    CString::new(emulator.base_url()).unwrap()
}

/// The program's objects of one kind.
#[derive(Default)]
struct Shelf(Vec<Handle>);

impl Shelf {
    /// Chooses one of them, or NULL.
    fn any(&self, bytes: &mut Bytes<'_>) -> Handle {
        let index = usize::from(bytes.byte());
        self.0.get(index % (self.0.len() + 1)).copied().unwrap_or(null_mut())
    }

    fn take(&mut self, bytes: &mut Bytes<'_>) -> Handle {
        let index = usize::from(bytes.byte()) % (self.0.len() + 1);
        if index < self.0.len() { self.0.swap_remove(index) } else { null_mut() }
    }
}

#[derive(Default)]
struct Program {
    configs: Shelf,
    clients: Shelf,
    generates: Shelf,
    edits: Shelf,
    tokens: Shelf,
    jobs: Shelf,
    made: Shelf,
    errors: Shelf,
    texts: Vec<CString>,
}

/// Runs the bytes as a program of C calls.
pub fn c_calls(data: &[u8]) {
    trust::little();
    let mut bytes = Bytes(data);
    let mut program = Program::default();
    for _ in 0..CALLS_MAX {
        if bytes.is_over() {
            break;
        }
        program.step(&mut bytes);
    }
    program.end();
}

impl Program {
    /// Chooses a text from the bytes, a usual one, or NULL.
    fn text(&mut self, bytes: &mut Bytes<'_>, usual: &[&CStr]) -> Text {
        match bytes.byte() {
            0 => null(),
            1 => {
                let text: Vec<u8> = bytes.piece().iter().copied().filter(|byte| *byte != 0).collect();
                let text = CString::new(text).unwrap();
                let pointer = text.as_ptr();
                self.texts.push(text);
                pointer
            }
            other => usual[usize::from(other) % usual.len()].as_ptr(),
        }
    }

    /// Records the result of a function that can fail: keeps its object and its error, and checks that they agree
    /// with its status.
    fn done(&mut self, status: i32, made: Option<Handle>, error: Handle, wants_error: bool) {
        // SAFETY: accepts any number.
        assert!(!unsafe { gptimage_status_name(status) }.is_null());
        if status == OK {
            assert!(error.is_null(), "a success has no error");
            assert!(made.is_none_or(|made| !made.is_null()), "a success has its object");
        } else {
            assert_eq!(made.unwrap_or_default(), null_mut(), "a failure has no object");
            assert_eq!(error.is_null(), !wants_error, "a failure has its error where one is wanted");
        }
        if !error.is_null() {
            // SAFETY: the library has just returned it.
            assert_eq!(unsafe { gptimage_error_status(error) }, status);
            self.errors.0.push(error);
        }
    }

    #[allow(clippy::too_many_lines, reason = "a line for each function")]
    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let (call, wants_error) = (bytes.byte(), !bytes.byte().is_multiple_of(4));
        let mut error = null_mut();
        let error_out: Out = if wants_error { &raw mut error } else { null_mut() };
        let mut object: Handle = null_mut();
        let out = &raw mut object;
        // SAFETY: every handle is NULL or was handed over by the library and not freed; every text is NULL or ends in NUL
        // and lives as long as the program; no handle is used by another thread.
        unsafe {
            let (status, made) = match call % 46 {
                0 => return self.configs.0.push(gptimage_config_new()),
                1 => return gptimage_config_free(self.configs.take(bytes)),
                2 => {
                    // Most programs begin with this call.
                    let (config, url) = (gptimage_config_new(), base_url());
                    gptimage_config_set_api_key(config, c"sk-fuzz-0123456789".as_ptr(), null_mut());
                    gptimage_config_set_base_url(config, url.as_ptr(), null_mut());
                    gptimage_config_set_deadline_ms(config, 20_000, null_mut());
                    self.configs.0.push(config);
                    (gptimage_client_new(config, out, error_out), Some(&mut self.clients))
                }
                3 => {
                    let (config, text) = (self.configs.any(bytes), self.text(bytes, &[c"sk-fuzz", c"sk-\xff"]));
                    (gptimage_config_set_api_key(config, text, error_out), None)
                }
                4 => {
                    let usual = [c"http://127.0.0.1:9/", c"https://127.0.0.1:9/v1", c"http://[::1]:9"];
                    let (config, text) = (self.configs.any(bytes), self.text(bytes, &usual));
                    (gptimage_config_set_base_url(config, text, error_out), None)
                }
                5 => (gptimage_config_set_allow_http(self.configs.any(bytes), bytes.byte().into(), error_out), None),
                6 => (gptimage_config_set_deadline_ms(self.configs.any(bytes), bytes.number(), error_out), None),
                7 => (gptimage_config_set_max_attempts(self.configs.any(bytes), 1, error_out), None),
                8 => {
                    let (config, name) = (self.configs.any(bytes), self.text(bytes, &NAMES));
                    (gptimage_config_set_timer_ms(config, name, bytes.number(), error_out), None)
                }
                9 => {
                    let (config, text) = (self.configs.any(bytes), self.text(bytes, &[c"http://127.0.0.1:9", c""]));
                    (gptimage_config_set_proxy(config, text, error_out), None)
                }
                10 => {
                    let (config, name) = (self.configs.any(bytes), self.text(bytes, &[c"x-a", c"host", c"a b"]));
                    let value = self.text(bytes, &VALUES);
                    (gptimage_config_add_header(config, name, value, error_out), None)
                }
                11 => (gptimage_config_set_fetch(self.configs.any(bytes), bytes.byte().into(), error_out), None),
                12 => {
                    (gptimage_config_set_abort_on_cancel(self.configs.any(bytes), bytes.byte().into(), error_out), None)
                }
                13 => (gptimage_config_set_max_image_bytes(self.configs.any(bytes), bytes.number(), error_out), None),
                14 => (gptimage_client_new(self.configs.any(bytes), out, error_out), Some(&mut self.clients)),
                15 => return gptimage_client_free(self.clients.take(bytes)),
                16 => {
                    let callback: ProgressCallback =
                        if bytes.byte().is_multiple_of(2) { None } else { Some(progressed) };
                    return gptimage_client_set_progress(self.clients.any(bytes), callback, null_mut());
                }
                17..=19 => {
                    let (client, request) = (self.clients.any(bytes), self.generates.any(bytes));
                    let token = self.tokens.any(bytes);
                    (gptimage_client_generate(client, request, token, out, error_out), Some(&mut self.made))
                }
                20 | 21 => {
                    let (client, request) = (self.clients.any(bytes), self.edits.any(bytes));
                    let token = self.tokens.any(bytes);
                    (gptimage_client_edit(client, request, token, out, error_out), Some(&mut self.made))
                }
                22 => {
                    let (client, made) = (self.clients.any(bytes), self.made.any(bytes));
                    (gptimage_client_fetch(client, made, usize::from(bytes.byte() % 4), error_out), None)
                }
                23 => {
                    let client = self.clients.any(bytes);
                    let status = gptimage_client_collect(client, u64::from(bytes.byte() % 4), out, error_out);
                    // With nothing to collect, the call succeeds without an object.
                    if object.is_null() {
                        return self.done(status, None, error, wants_error && status != OK);
                    }
                    (status, Some(&mut self.made))
                }
                24 | 25 => {
                    let (client, request) = (self.clients.any(bytes), self.generates.any(bytes));
                    let callback: Callback = if bytes.byte().is_multiple_of(2) { None } else { Some(called_back) };
                    let status = gptimage_client_start_generate(client, request, callback, null_mut(), out, error_out);
                    (status, Some(&mut self.jobs))
                }
                26 => {
                    let (client, request) = (self.clients.any(bytes), self.edits.any(bytes));
                    let status = gptimage_client_start_edit(client, request, None, null_mut(), out, error_out);
                    (status, Some(&mut self.jobs))
                }
                27 | 28 => {
                    let job = self.jobs.any(bytes);
                    let timeout = if bytes.byte().is_multiple_of(2) { 0 } else { 20_000 };
                    (gptimage_job_wait(job, timeout, out, error_out), Some(&mut self.made))
                }
                29 => return gptimage_job_cancel(self.jobs.any(bytes)),
                30 => {
                    assert!((0..=6).contains(&gptimage_job_phase(self.jobs.any(bytes))));
                    return;
                }
                31 => return gptimage_job_free(self.jobs.take(bytes)),
                32 => {
                    let prompt = self.text(bytes, &[c"A hat", c"A hat", c"", c"\xff"]);
                    (gptimage_generate_request_new(prompt, out, error_out), Some(&mut self.generates))
                }
                33 => return gptimage_generate_request_free(self.generates.take(bytes)),
                34 => {
                    let (request, name) = (self.generates.any(bytes), self.text(bytes, &NAMES));
                    let value = self.text(bytes, &VALUES);
                    (gptimage_generate_request_set(request, name, value, error_out), None)
                }
                35 => {
                    let (request, json) =
                        (self.generates.any(bytes), self.text(bytes, &[c"{\"a\": [1]}", c"[]", c"{"]));
                    (gptimage_generate_request_set_extra(request, json, error_out), None)
                }
                36 => {
                    let request = self.generates.any(bytes);
                    match bytes.byte() % 4 {
                        0 => (gptimage_generate_request_set_n(request, bytes.number().cast_signed(), error_out), None),
                        1 => (gptimage_generate_request_set_deadline_ms(request, bytes.number(), error_out), None),
                        2 => (gptimage_generate_request_set_structural_rules(request, 1, error_out), None),
                        _ => {
                            let inline = c"b64_json".as_ptr();
                            (gptimage_generate_request_set_response_format(request, inline, error_out), None)
                        }
                    }
                }
                37 => {
                    let prompt = self.text(bytes, &[c"A hat", c"A hat", c"", c"\xff"]);
                    (gptimage_edit_request_new(prompt, out, error_out), Some(&mut self.edits))
                }
                38 => return gptimage_edit_request_free(self.edits.take(bytes)),
                39 => {
                    let (request, name) = (self.edits.any(bytes), self.text(bytes, &NAMES));
                    let value = self.text(bytes, &VALUES);
                    (gptimage_edit_request_set(request, name, value, error_out), None)
                }
                40 => {
                    let request = self.edits.any(bytes);
                    let picture = if bytes.byte().is_multiple_of(4) { bytes.piece() } else { PICTURE };
                    let (data, len) = (picture.as_ptr(), picture.len());
                    match bytes.byte() % 4 {
                        0 => (gptimage_edit_request_set_mask_bytes(request, data, len, error_out), None),
                        1 => (gptimage_edit_request_add_image_bytes(request, null(), len, error_out), None),
                        _ => (gptimage_edit_request_add_image_bytes(request, data, len, error_out), None),
                    }
                }
                41 => {
                    let request = self.edits.any(bytes);
                    match bytes.byte() % 2 {
                        0 => (gptimage_edit_request_set_n(request, bytes.number().cast_signed(), error_out), None),
                        _ => {
                            let json = self.text(bytes, &VALUES);
                            (gptimage_edit_request_set_extra(request, json, error_out), None)
                        }
                    }
                }
                42 => return self.tokens.0.push(gptimage_cancel_token_new()),
                43 => {
                    let token = self.tokens.any(bytes);
                    gptimage_cancel_token_cancel(token);
                    return;
                }
                44 => return gptimage_cancel_token_free(self.tokens.take(bytes)),
                _ => return self.read_all(bytes),
            };
            let is_made = made.is_some();
            if let Some(shelf) = made
                && !object.is_null()
            {
                shelf.0.push(object);
            }
            self.done(status, is_made.then_some(object), error, wants_error);
        }
    }

    /// Calls every getter of an error and of a result.
    fn read_all(&mut self, bytes: &mut Bytes<'_>) {
        let (error, mut made) = (self.errors.any(bytes), self.made.any(bytes));
        let index = usize::from(bytes.byte() % 4);
        // SAFETY: as in `step`; what is borrowed is read before its owner is freed.
        unsafe {
            for text in [
                gptimage_error_kind(error),
                gptimage_error_message(error),
                gptimage_error_charge(error),
                gptimage_error_client_request_id(error),
                gptimage_error_json(error),
            ] {
                read(text);
            }
            gptimage_error_http_status(error);
            gptimage_error_retry_after_ms(error);
            let violations = gptimage_error_violation_count(error);
            let violation = gptimage_error_violation(error, index);
            violation.texts.into_iter().for_each(|text| read(text));
            assert_eq!(violation.texts[0].is_null(), index >= violations);
            if made.is_null() {
                made = gptimage_error_generated(error);
            }
            let count = gptimage_generated_image_count(made);
            let picture = gptimage_generated_image_bytes(made, index);
            assert_eq!(picture.data.is_null(), picture.len == 0);
            assert!(index < count || picture.len == 0);
            for text in [
                gptimage_generated_image_url(made, index),
                gptimage_generated_image_format(made, index),
                gptimage_generated_usd_spent(made),
                gptimage_generated_json(made),
            ] {
                read(text);
            }
            gptimage_generated_image_width(made, index);
        }
    }

    /// Frees all handles, in an order that no document promises.
    fn end(self) {
        let free = |shelf: Shelf, free: unsafe extern "C" fn(Handle)| {
            for handle in shelf.0 {
                // SAFETY: the library returned it, and it was not freed.
                unsafe { free(handle) };
            }
        };
        free(self.clients, gptimage_client_free);
        free(self.jobs, gptimage_job_free);
        free(self.configs, gptimage_config_free);
        free(self.generates, gptimage_generate_request_free);
        free(self.edits, gptimage_edit_request_free);
        free(self.tokens, gptimage_cancel_token_free);
        free(self.made, gptimage_generated_free);
        free(self.errors, gptimage_error_free);
    }
}

/// Checks that a text from the library is NULL or UTF-8.
///
/// # Safety
/// It is NULL or ends in NUL, and its owner lives.
unsafe fn read(text: Text) {
    if !text.is_null() {
        // SAFETY: the caller's promise.
        assert!(unsafe { CStr::from_ptr(text) }.to_str().is_ok());
    }
}
