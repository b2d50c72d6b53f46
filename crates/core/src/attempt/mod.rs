//! One attempt at a charged call: its record, and its state while it runs.

mod record;
mod send_guard;
mod state;

pub use record::{Attempt, Phase};
pub(crate) use send_guard::{InputError, SendGuard, SendProgress};
pub(crate) use state::{AttemptState, SendStage};
