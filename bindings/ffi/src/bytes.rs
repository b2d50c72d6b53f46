//! Borrowed bytes.

/// A borrowed byte array. The function that returns it says who owns the bytes and how long they live.
#[repr(C)]
pub struct gptimage_bytes_t {
    /// Pointer to the first byte; NULL if there are none.
    pub data: *const u8,
    /// Number of bytes.
    pub len: usize,
}

impl gptimage_bytes_t {
    pub(crate) const NONE: Self = Self { data: std::ptr::null(), len: 0 };

    pub(crate) fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() { Self::NONE } else { Self { data: bytes.as_ptr(), len: bytes.len() } }
    }
}
