//! The sockets: accepted, read and written here, so that cutting one after k bytes is a property of the stream.

mod early;
pub(crate) mod ending;
mod exchange;
mod framing;
mod head;
mod listener;
mod meter;
mod registry;
mod stop;
mod stream;

pub(crate) use early::EarlyAnswer;
#[cfg(feature = "internals")]
pub(crate) use exchange::Exchange;
pub(crate) use exchange::{Note, Plan, Recording};
#[cfg(feature = "internals")]
pub(crate) use head::HeadParse;
pub(crate) use head::RequestHead;
pub(crate) use listener::{Checkpoint, Listener, Site, bind};
pub(crate) use registry::Registry;
pub(crate) use stop::{Stop, Stopper};
