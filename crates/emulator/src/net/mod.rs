//! The sockets: accepted, read and written here, so that cutting one after k bytes is a property of the stream.

mod early;
mod ending;
mod exchange;
mod framing;
mod head;
mod listener;
mod meter;
mod registry;
mod stop;
mod stream;

pub(crate) use early::EarlyAnswer;
pub(crate) use exchange::{Note, Plan, Recording};
pub(crate) use head::RequestHead;
pub(crate) use listener::{Checkpoint, Listener, Site, bind};
pub(crate) use registry::Registry;
pub(crate) use stop::{Stop, Stopper};
