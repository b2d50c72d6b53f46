//! Any request: the rules against an oracle written from the API's table, and the JSON against another parser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod rules_properties {
    mod given;
    mod json;
    mod oracle;
    mod rules;
}
