//! Running work on the library's threads while a host's thread waits for it.

use std::sync::mpsc;

use crate::ffi_error::FfiError;
use crate::process;

/// Runs something on the library's thread and waits for it. A host's thread may have a small stack: what is run is made
/// over there.
pub(crate) fn wait_for<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T, FfiError>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (done, result) = mpsc::sync_channel(1);
    process::get_or_start()?.runtime.spawn(async move {
        // Whoever waits is there until it is reported.
        let _ = done.send(Box::pin(work()).await);
    });
    result.recv().map_err(|_| FfiError::lost())
}

/// Runs something that touches files, where that may block, and waits for it.
pub(crate) fn with_files<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, FfiError> {
    wait_for(move || async move { tokio::task::spawn_blocking(work).await })?.map_err(|_| FfiError::panicked())
}
