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
    #[path = "../../../model/tests/cases/inputs.rs"]
    mod inputs;
    #[path = "../../../model/tests/cases/mismatch.rs"]
    mod mismatch;
    #[path = "../../../model/tests/cases/request_case.rs"]
    mod request_case;
    mod requests;
}
