//! The cases that all languages share, in `tests/cases`: requests and their bodies or violations.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod cases {
    mod inputs;
    mod mismatch;
    mod request_case;
    mod requests;
}
