//! Requests and responses as bytes: finds where heads and bodies end, and how much of a response was sent.

mod framing;
mod head;
mod meter;

pub(crate) use framing::Framing;
pub(crate) use head::{HEAD_CAP, HeadParse, RequestHead};
pub(crate) use meter::ResponseMeter;
