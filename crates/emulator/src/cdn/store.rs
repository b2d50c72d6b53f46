//! The images that the CDN holds. When it is full, the oldest is dropped.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::sync::lock;

const MAX_PICTURES: usize = 1024;
const MAX_BYTES: usize = 512 << 20;

/// A finished image.
#[derive(Debug, Clone)]
pub(crate) struct StoredPicture {
    pub(crate) bytes: Bytes,
    pub(crate) mime: &'static str,
    /// When its URL was sent.
    pub(crate) from: Instant,
}

impl StoredPicture {
    pub(crate) fn is_expired(&self, expiry: Option<Duration>) -> bool {
        // Saturates, because a URL that is still to be sent has no age.
        expiry.is_some_and(|expiry| Instant::now().saturating_duration_since(self.from) >= expiry)
    }
}

#[derive(Debug, Default)]
pub(crate) struct CdnStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pictures: HashMap<String, StoredPicture>,
    /// Names, the oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

impl CdnStore {
    pub(crate) fn put(&self, name: String, picture: StoredPicture) {
        let mut state = lock(&self.state);
        state.bytes += picture.bytes.len();
        state.order.push_back(name.clone());
        state.pictures.insert(name, picture);
        while state.order.len() > MAX_PICTURES || (state.bytes > MAX_BYTES && state.order.len() > 1) {
            let Some(oldest) = state.order.pop_front() else { break };
            if let Some(forgotten) = state.pictures.remove(&oldest) {
                state.bytes -= forgotten.bytes.len();
            }
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<StoredPicture> {
        lock(&self.state).pictures.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let store = CdnStore::default();
        let picture = StoredPicture { bytes: Bytes::from_static(b"x"), mime: "image/png", from: Instant::now() };
        for index in 0..=MAX_PICTURES {
            store.put(index.to_string(), picture.clone());
        }
        assert!(store.get("0").is_none());
        assert!(store.get("1").is_some());
        assert!(store.get(&MAX_PICTURES.to_string()).is_some());
    }
}
