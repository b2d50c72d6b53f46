//! Bytes that a host looks at.

/// Bytes that belong to somebody else; who, and for how long, the function says that gives them.
#[repr(C)]
pub struct gptimage_bytes_t {
    /// The first byte, or NULL if there are none.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

impl gptimage_bytes_t {
    pub(crate) const NONE: Self = Self { data: std::ptr::null(), len: 0 };

    pub(crate) fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() { Self::NONE } else { Self { data: bytes.as_ptr(), len: bytes.len() } }
    }
}
