//! Randomness from the system: nothing that a forked child would share with its parent.

use std::fmt::Write;
use std::hash::BuildHasher;

/// As many random bits as a UUID has, in hexadecimal.
pub(crate) fn token() -> String {
    let mut out = String::with_capacity(32);
    for byte in bytes::<16>() {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// A number in 0..1.
pub(crate) fn fraction() -> f64 {
    /// As many bits as an `f64` holds exactly.
    const BITS: u32 = 53;
    let word = u64::from_le_bytes(bytes()) >> (u64::BITS - BITS);
    #[allow(clippy::cast_precision_loss, reason = "the word has no more bits than an f64 holds")]
    let fraction = word as f64 / (1_u64 << BITS) as f64;
    fraction
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        // Not known to happen where this crate runs. The hasher's keys are random too, if less so.
        let state = std::hash::RandomState::new();
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = state.hash_one((index, std::time::SystemTime::now())).to_le_bytes()[0];
        }
    }
    bytes
}
