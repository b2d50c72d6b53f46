//! Cancels calls from outside.

use tokio::sync::watch;

/// Cancels calls. Clones are the same token. A cancelled token stays cancelled.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use gptimage_core::CancelToken;
/// let token = CancelToken::new();
/// let elsewhere = token.clone();
/// std::thread::spawn(move || elsewhere.cancel());
/// token.cancelled().await;
/// assert!(token.is_cancelled());
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CancelToken(watch::Sender<bool>);

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl CancelToken {
    /// Creates a token that is not cancelled.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Cancels every call that has this token. Can be called from any thread, any number of times.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Returns whether the token was cancelled.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the token is cancelled.
    pub async fn cancelled(&self) {
        // This token holds the sender, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|cancelled| *cancelled).await;
    }
}
