//! Preserving `errno`, as C code expects of functions that do not document otherwise.

/// Restores the calling thread's `errno` when dropped.
#[derive(Debug)]
pub struct ErrnoGuard {
    #[cfg(unix)]
    before: i32,
}

#[cfg(unix)]
impl ErrnoGuard {
    /// Saves the current value.
    #[must_use]
    pub fn new() -> Self {
        Self { before: nix::errno::Errno::last_raw() }
    }
}

#[cfg(unix)]
impl Drop for ErrnoGuard {
    fn drop(&mut self) {
        nix::errno::Errno::set_raw(self.before);
    }
}

#[cfg(not(unix))]
impl ErrnoGuard {
    /// Does nothing: this system has no `errno`.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl Default for ErrnoGuard {
    fn default() -> Self {
        Self::new()
    }
}
