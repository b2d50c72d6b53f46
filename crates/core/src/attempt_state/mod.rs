//! The state of an attempt while it runs.

mod send_guard;
mod state;

pub(crate) use send_guard::{InputError, SendGuard, SendProgress};
pub(crate) use state::{AttemptState, SendStage};
