//! The client against the emulator, over real sockets. The emulator's ledger is the judge.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod budget;
mod common;
mod cuts;
mod decisions;
mod delivery;
mod dropped;
mod hardening;
mod network;
mod odd_answers;
mod proxies;
mod reconcile;
mod salvage;
mod secrets;
#[path = "../../../../tests/skipped.rs"]
mod skipped;
mod trust;
mod uploads;
