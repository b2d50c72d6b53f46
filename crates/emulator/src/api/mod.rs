//! The gateway's HTTP face: routes, keys, reading and judging of requests, answers.

mod account;
mod form;
mod gateway;
mod json;
mod logs;
mod order;
mod paid;
mod parameters;
mod read;
mod refusal;
mod rules;
mod segments;
mod success;

pub(crate) use gateway::{Canned, Gateway, router};
pub(crate) use logs::CallLimit;
pub(crate) use read::whole;
