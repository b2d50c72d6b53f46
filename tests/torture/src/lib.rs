//! The client's promise under stress: calls with faults drawn at random, on a server that keeps a ledger and charges for
//! whatever arrived whole. A seed decides everything, so whatever breaks is run again by one command.
//!
//! [`draw`] makes an [`Experiment`] of a seed and an index; [`run`] lets it happen; [`judge`] holds what callers were told
//! against the ledger; [`campaign`] does it many times and counts.

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
