//! The cases that all languages share, in `tests/cases`: requests, answers and the table of errors.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod cases {
    mod answers;
    mod cdn;
    mod errors;
    mod expand;
    mod inputs;
    mod mismatch;
    mod requests;
}
