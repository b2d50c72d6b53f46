//! One call over the network: its attempts, and what their ends mean for the charge.

mod answer_keeper;
mod attempt;
mod attempt_error;
mod attempt_loop;
mod attempt_result;
mod attempt_task;
mod backoff;
mod balance;
mod content_encoding;
mod context;
mod decision;
mod download;
mod error_message;
mod http;
mod image_sink;
mod receive;
mod run_timer;
mod tls;
mod upload;
mod usage_log;
mod write_limiter;

pub(crate) use attempt_loop::AttemptLoop;
#[cfg(feature = "internals")]
pub(crate) use backoff::{backoff, parse_retry_after};
pub(crate) use balance::balance;
pub(crate) use context::CallContext;
pub(crate) use download::download_one;
pub(crate) use http::Http;
pub(crate) use usage_log::{UsageLog, read_usage_log};
pub(crate) use write_limiter::WriteLimiter;
