//! Requests and responses as bytes: where a head ends, where a body ends, how much of a response has gone out.

mod framing;
mod head;
mod meter;

pub(crate) use framing::Framing;
pub(crate) use head::{HEAD_CAP, HeadParse, RequestHead};
pub(crate) use meter::ResponseMeter;
