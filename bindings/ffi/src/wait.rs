//! Running work on the library's threads while a host's thread waits for it.

use std::sync::mpsc;

use crate::ffi_error::FfiError;
use crate::process;

/// Runs a future on the library's thread and waits for it. The future is created on that thread, because a host's thread may
/// have a small stack.
pub(crate) fn wait_for<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T, FfiError>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (done, result) = mpsc::sync_channel(1);
    process::get_or_start()?.runtime.spawn(async move {
        // The receiver waits until it gets this.
        let _ = done.send(Box::pin(work()).await);
    });
    result.recv().map_err(|_| FfiError::lost())
}

/// Runs a blocking function on one of the library's file threads and waits for it.
pub(crate) fn with_files<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, FfiError> {
    wait_for(move || async move { tokio::task::spawn_blocking(work).await })?.map_err(|_| FfiError::panicked())
}
