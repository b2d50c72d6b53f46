//! What C code expects of a function that does not say otherwise.

/// While this lives, `errno` of the calling thread may change; then it is what it was.
#[derive(Debug)]
pub struct KeptErrno {
    #[cfg(unix)]
    before: i32,
}

#[cfg(unix)]
impl KeptErrno {
    /// Takes note of it.
    #[must_use]
    pub fn new() -> Self {
        Self { before: nix::errno::Errno::last_raw() }
    }
}

#[cfg(unix)]
impl Drop for KeptErrno {
    fn drop(&mut self) {
        nix::errno::Errno::set_raw(self.before);
    }
}

#[cfg(not(unix))]
impl KeptErrno {
    /// There is none.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl Default for KeptErrno {
    fn default() -> Self {
        Self::new()
    }
}
