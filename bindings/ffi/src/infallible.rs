//! The boundary of exported functions that cannot fail: no panic leaves the library, and `errno` is preserved.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gptimage_binding::ErrnoGuard;

/// Runs a function that cannot fail. Returns `otherwise` if it panics.
pub(crate) fn infallible<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    let _errno = ErrnoGuard::new();
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(otherwise)
}
