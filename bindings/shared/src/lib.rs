//! What the bindings to other languages have in common. Other languages block where Rust awaits, fork where Rust does not,
//! and expect that no signal of theirs lands on a thread of ours.
//!
//! - [`Background`]: the one thread with network and files, which no host's thread ever touches.
//! - [`Job`]: a call on it, waited for by any thread, given up without losing what was paid for.
//! - [`KeptErrno`]: what a call must not change of its thread.
//! - [`log`]: what the library does, as lines for a host's own log.
//! - [`Order`]: a call as other languages put it together.
//! - [`Own`]: what belongs to one process, and is left alone in a forked child.
#![forbid(unsafe_code)]

mod background;
mod errno;
mod job;
pub mod log;
mod order;
mod own;

pub use background::Background;
pub use errno::KeptErrno;
pub use job::{Job, Runner, State};
pub use order::{Extra, Order, Source};
pub use own::Own;
