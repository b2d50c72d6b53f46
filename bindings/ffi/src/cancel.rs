//! Cancel tokens.

use gptimage_core::CancelToken;

use crate::infallible::infallible;

/// Cancels calls from another thread. A cancelled token stays cancelled.
pub struct gptimage_cancel_token_t(CancelToken);

impl gptimage_cancel_token_t {
    pub(crate) fn core(&self) -> &CancelToken {
        &self.0
    }
}

/// Creates a token. Free it with gptimage_cancel_token_free(), at any time: calls keep what they need of it.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_cancel_token_new() -> Box<gptimage_cancel_token_t> {
    Box::new(gptimage_cancel_token_t(CancelToken::new()))
}

/// Cancels every call that uses this token. May be called from any thread and more than once, but not from a signal
/// handler.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_cancel_token_cancel(token: Option<&gptimage_cancel_token_t>) {
    infallible((), || {
        if let Some(token) = token {
            token.0.cancel();
        }
    });
}

/// Frees a token. `token` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn gptimage_cancel_token_free(token: Option<Box<gptimage_cancel_token_t>>) {
    infallible((), || drop(token));
}
