//! The only place that knows paths, header names and field names.

mod base64;
mod error_body;
mod error_page;
mod error_text;
mod error_words;
mod logs;
mod mended;
mod pictures;
mod price;
mod response;
mod scanner;
mod sniff;
mod sse;

pub(crate) use error_body::{BodyForm, ERROR_BODY_MAX, ErrorBody};
pub(crate) use gptimage_model::wire::{Body, Content, path};
pub(crate) use logs::{LOGS_PAGE_MAX_BYTES, LOGS_PATH, LogPage, LogRow, LogStatus, logs_query};
pub(crate) use pictures::Task;
pub(crate) use price::{Price, Stated};
pub(crate) use response::{AnswerDecoder, AnswerJson, Payload, parse_balance};

/// A free call that tells whether the key works, below the gateway's root.
pub(crate) const BILLING_PATH: &str = "v2/billing";

/// Header names, in lower case.
pub(crate) mod header {
    pub(crate) const CLIENT_REQUEST_ID: &str = "x-client-request-id";
    pub(crate) const INFERENCE_ID: &str = "x-inference-id";
    pub(crate) const REQUEST_ID: &str = "x-request-id";
    pub(crate) const CREDITS_USED: &str = "x-aimlapi-credits-used";
    pub(crate) const USD_SPENT: &str = "x-aimlapi-usd-spent";
    pub(crate) const RETRY_AFTER: &str = "retry-after";
    pub(crate) const CONTENT_TYPE: &str = "content-type";
    pub(crate) const CONTENT_ENCODING: &str = "content-encoding";
    /// What is said to be understood: a compressed answer costs time and proves nothing.
    pub(crate) const IDENTITY: &str = "identity";
    /// What this client calls itself.
    pub(crate) const USER_AGENT: &str = concat!("gptimage/", env!("CARGO_PKG_VERSION"));
    /// Set by this crate alone.
    pub(crate) const OURS: &[&str] = &[
        "authorization",
        "content-type",
        "content-length",
        "transfer-encoding",
        "connection",
        "host",
        "expect",
        CLIENT_REQUEST_ID,
    ];
    /// With these a paid answer could come in a form, a part or at a time that is not understood, or a password go astray.
    pub(crate) const HARMFUL: &[&str] = &[
        "accept",
        "accept-charset",
        "accept-encoding",
        "content-encoding",
        "content-range",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "keep-alive",
        "http2-settings",
        "prefer",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "te",
        "trailer",
        "upgrade",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
    ];
}
