//! What a fork must not share.

use std::mem;
use std::process;

/// Something that may only be used, and dropped, in the process that made it: threads that it counts on are not there in
/// a forked child, and locks may be held for ever.
#[derive(Debug)]
pub struct Own<T> {
    process: u32,
    value: Option<T>,
}

impl<T> Own<T> {
    /// Belongs to this process from now on.
    pub fn new(value: T) -> Self {
        Self { process: process::id(), value: Some(value) }
    }

    /// `None` in a forked child.
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| self.process == process::id())
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        if self.process != process::id() {
            mem::forget(self.value.take());
        }
    }
}
