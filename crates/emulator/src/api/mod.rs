//! The gateway's HTTP API: routes, keys, reading and validating requests, responses.

mod account;
mod fields;
mod form;
mod gateway;
mod json;
mod logs;
mod paid;
mod paid_request;
mod parameters;
mod read;
mod refusal;
mod rules;
mod segments;
mod site;
mod success;

pub(crate) use gateway::{Canned, Gateway};
pub(crate) use logs::CallLimit;
pub(crate) use read::whole;
pub(crate) use site::router;
