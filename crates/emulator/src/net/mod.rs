//! Connections below the HTTP library: they are accepted, read and written here, so that they can be cut after any
//! byte.

mod early;
pub(crate) mod ending;
mod exchange;
mod listener;
mod registry;
mod site;
mod stop;
mod stream;

#[cfg(feature = "internals")]
pub(crate) use exchange::Exchange;
pub(crate) use exchange::{EarlyAnswer, Note, Plan, Recording};
pub(crate) use listener::{Checkpoint, Listener, bind};
pub(crate) use registry::Registry;
pub(crate) use site::Site;
pub(crate) use stop::{Stop, Stopper};
