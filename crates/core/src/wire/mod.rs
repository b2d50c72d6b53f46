//! The wire format of requests and responses. Only this module knows paths, header names and field names.

mod balance;
mod base64;
mod dry_run;
mod error_body;
mod error_page;
mod error_text;
mod error_words;
pub(crate) mod fields;
pub(crate) mod header;
mod json_repair;
mod logs;
mod members;
mod pictures;
mod price;
mod response;
mod scanner;
mod sniff;
mod sse;

pub use balance::Balance;
pub(crate) use balance::parse_balance;
pub(crate) use dry_run::describe_call;
pub(crate) use error_body::{BodyForm, ERROR_BODY_MAX, ErrorBody};
pub(crate) use gptimage_model::wire::{BALANCE_PATH, Body, BodyPart, LOGS_PATH, path};
pub(crate) use logs::{LOGS_PAGE_MAX_BYTES, LogPage, LogRow, LogStatus, logs_query};
pub(crate) use pictures::Task;
pub(crate) use price::{Price, Stated};
pub(crate) use response::{AnswerDecoder, AnswerJson, Payload};

use crate::request::Operation;

/// Every path of the API: two relative to the base URL, two relative to the gateway's root.
pub(crate) const PATHS: [&str; 4] = [path(Operation::Generate), path(Operation::Edit), BALANCE_PATH, LOGS_PATH];
