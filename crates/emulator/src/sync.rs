//! Locking without poisoning.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; what a panicked holder left behind still counts.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
