//! libgptimage: core as C and C++ see it. Only wiring: every rule, default and retry is core's. Its documentation is the
//! header, `include/gptimage.h`, which is made from these sources.
#![allow(non_camel_case_types, reason = "these are C's names")]
#![allow(unreachable_pub, reason = "what C can reach, Rust cannot")]
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
