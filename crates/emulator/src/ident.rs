//! Ids: the gateway's own, and the one that a caller may send along.

/// A random version 4 UUID.
pub(crate) fn random_uuid() -> String {
    let bits = fastrand::u128(..);
    let (a, b) = ((bits >> 96) as u32, (bits >> 80) as u16);
    let (c, d) = ((bits >> 64) as u16 & 0x0fff | 0x4000, (bits >> 48) as u16 & 0x3fff | 0x8000);
    format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", bits & 0xffff_ffff_ffff)
}

/// Whether an `X-Client-Request-Id` is one that the gateway keeps: 1 to 128 of `A-Za-z0-9._:-`.
pub(crate) fn is_client_request_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
    (1..=128).contains(&id.len()) && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_alphabet_is_an_id() {
        assert!(is_client_request_id("a.b_c:d-9"));
        assert!(is_client_request_id(&"x".repeat(128)));
        for bad in ["", "a b", "ä", "a/b"] {
            assert!(!is_client_request_id(bad), "{bad}");
        }
        assert!(!is_client_request_id(&"x".repeat(129)));
    }

    #[test]
    fn ids_look_like_uuids_and_differ() {
        let id = random_uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert_ne!(id, random_uuid());
    }
}
