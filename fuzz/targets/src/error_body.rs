#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| gptimage_fuzz::error_body(data));
