//! The state that connections of a scripted server share.

use std::collections::VecDeque;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use gptimage_emulator::Side;
use gptimage_emulator::internals::Account;
use tokio::sync::watch;

use super::authority::Authority;
use super::script::{Script, Source, Step, Until};

/// Maximum number of received bytes that are kept for each origin.
const RECEIVED_MAX: usize = 256 << 10;

/// State shared by connections.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) account: Arc<Account>,
    pub(super) authority: Option<Authority>,
    pub(super) picture: Bytes,
    pub(super) picture_base64: String,
    pub(super) pictures: usize,
    pub(super) cdn_url: String,
    pub(super) sides: [SideState; 2],
    /// Number of scripts at work.
    pub(super) busy: watch::Sender<usize>,
    pub(super) marks: watch::Sender<u64>,
}

/// One origin of the server.
#[derive(Debug)]
pub(super) struct SideState {
    pub(super) scripts: Mutex<VecDeque<Script>>,
    pub(super) always: Mutex<Script>,
    pub(super) connections: AtomicU64,
    pub(super) received: Mutex<Vec<u8>>,
}

impl SideState {
    pub(super) fn new(side: Side) -> Self {
        let (until, source) =
            if side == Side::Api { (Until::Whole, Source::Image) } else { (Until::Head, Source::Picture) };
        Self {
            scripts: Mutex::default(),
            always: Mutex::new(Script::new([Step::Read(until), Step::send(source)])),
            connections: AtomicU64::new(0),
            received: Mutex::default(),
        }
    }
}

impl Shared {
    pub(super) fn side(&self, side: Side) -> &SideState {
        let [api, cdn] = &self.sides;
        if side == Side::Api { api } else { cdn }
    }

    pub(super) fn mark(&self) {
        self.marks.send_modify(|marks| *marks += 1);
    }

    pub(super) fn keep_received(&self, side: Side, bytes: &[u8]) {
        let mut received = lock(&self.side(side).received);
        let room = RECEIVED_MAX.saturating_sub(received.len()).min(bytes.len());
        received.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }
}

/// Counts a script as at work until dropped.
pub(super) struct Busy(Arc<Shared>);

impl Busy {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        shared.busy.send_modify(|busy| *busy += 1);
        Self(Arc::clone(shared))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.send_modify(|busy| *busy -= 1);
    }
}

/// Locks a mutex. State left by a panicked holder is still used.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
