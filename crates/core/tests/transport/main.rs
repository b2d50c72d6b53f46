//! The client against the emulator, over real sockets. The emulator's ledger is the judge.

mod common;
mod cuts;
mod decisions;
mod delivery;
mod dropped;
mod network;
mod secrets;
mod uploads;
