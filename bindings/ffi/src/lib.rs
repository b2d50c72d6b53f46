//! libgptimage, the C library. It only converts and calls: every rule, default and retry is core's. Its documentation is the
//! header `include/gptimage.h`, which is generated from these sources.
#![allow(non_camel_case_types, reason = "names of C")]
#![allow(unreachable_pub, reason = "exported to C, not to Rust")]
#![allow(unsafe_code, reason = "exported names; every other use says in a SAFETY line why it is sound")]

mod budget;
mod bytes;
mod callback;
mod cancel;
mod client;
mod config;
mod edit_request;
mod error;
mod fallible;
mod ffi_error;
mod generate_request;
mod generated;
mod generated_files;
mod infallible;
mod job;
mod log;
mod log_callback;
mod pending;
mod pointer;
mod process;
mod progress;
mod reconciled;
mod request;
mod start;
mod status;
mod version;
mod wait;
