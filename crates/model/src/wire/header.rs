//! Names of the gateway's own headers, in lower case.

/// The caller's id of an attempt, which the gateway repeats.
pub const CLIENT_REQUEST_ID: &str = "x-client-request-id";
/// The gateway's id of a paid call.
pub const INFERENCE_ID: &str = "x-inference-id";
/// The gateway's id of a request.
pub const REQUEST_ID: &str = "x-request-id";
/// The price of a call in credits.
pub const CREDITS_USED: &str = "x-aimlapi-credits-used";
/// The price of a call in US dollars.
pub const USD_SPENT: &str = "x-aimlapi-usd-spent";
