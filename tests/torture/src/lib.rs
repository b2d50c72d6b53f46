//! Tests the client's promise under stress: calls under random faults, on a server that keeps a ledger and charges
//! for whatever arrived whole. A seed decides everything, so a failure can be repeated by one command.
//!
//! [`draw`] makes an [`Experiment`] from a seed and an index; [`run`] runs it; [`judge`] compares the callers'
//! results with the ledger; [`campaign`] runs many experiments and counts.

pub mod campaign;
pub mod draw;
pub mod experiment;
mod faults;
pub mod judge;
pub mod run;
pub mod scripted;
mod tally;
pub mod world;

pub use experiment::Experiment;
pub use tally::Tally;
