//! Shared parts of the bindings to other languages. Such hosts block where Rust code awaits, may fork, and expect that
//! no signal is delivered on our threads.
//!
//! - [`BackgroundRuntime`]: the thread for network and files; a host's thread never touches either.
//! - [`CallSpec`]: the arguments of one call.
//! - [`ErrnoGuard`]: preserves `errno`.
//! - [`Job`]: a running call that any thread can wait for.
//! - [`log`]: core's events as lines for a host's log.
//! - [`ProcessLocal`]: a value that can only be used in the process that created it.
#![forbid(unsafe_code)]

mod call_spec;
mod errno;
mod job;
pub mod log;
mod process_local;
mod runtime;

pub use call_spec::{CallSpec, Extra, Source};
pub use errno::ErrnoGuard;
pub use job::{Job, JobState, TaskGuard};
pub use process_local::ProcessLocal;
pub use runtime::BackgroundRuntime;
