//! An experiment, drawn from a seed and an index.

use std::time::Duration;

use crate::scripted::{Script, Step};
use fastrand::Rng;

use crate::experiment::{CallSpec, Caller, Experiment};
use crate::faults;

/// Lengths of the world's images, in its order; precise enough to aim a cut at.
const PICTURES: [u64; 4] = [120, 20_000, 300_000, 7 << 20];

/// Uploads above this size exceed the socket buffers on loopback.
const LARGE: usize = 6 << 20;

/// Draws an experiment. The same seed and index give the same one.
pub fn draw(seed: u64, index: u64) -> Experiment {
    // Multiplied, so that neighbouring indexes give unrelated experiments.
    let mut rng = Rng::with_seed(seed ^ index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let alone = rng.u8(..100) < 85;
    let count = if alone { 1 } else { rng.usize(2..7) };
    let tls = rng.u8(..100) < 10;
    let calls: Vec<_> = (0..count).map(|_| order(&mut rng, alone)).collect();
    let editing = calls.iter().all(|call| call.upload.is_some());
    let pictures = if editing { rng.usize(1..4) } else { 1 };
    let picture = match rng.u8(..200) {
        0..120 => 0,
        120..170 => 1,
        170..199 => 2,
        _ => 3,
    };
    let by_url = rng.u8(..100) < 30;
    let request = 500 + calls.iter().filter_map(|call| call.upload).max().unwrap_or(0) as u64;
    let length = PICTURES.get(picture).copied().unwrap_or(0);
    let answer = 450 + if by_url { 100 } else { length * 4 / 3 * pictures as u64 };
    let mut api: Vec<_> = (0..count * 3)
        .map(|_| faults::api(&mut rng, &faults::Setting { tls, by_url, pictures, request, answer }))
        .collect();
    let mut cdn: Vec<_> =
        if by_url { (0..count * 4).map(|_| faults::cdn(&mut rng, length)).collect() } else { Vec::new() };
    if let [CallSpec { upload, caller: Caller::DropsAtMark | Caller::CancelsAtMark, .. }] = calls[..] {
        let large = upload.filter(|bytes| *bytes > LARGE && rng.u8(..4) > 0);
        let first = if by_url && large.is_none() && rng.bool() { cdn.first_mut() } else { api.first_mut() };
        match (first, large) {
            // The most critical moment: the caller leaves while the transport is still sending the body.
            (Some(first), Some(bytes)) => *first = faults::left_while_uploading(&mut rng, bytes as u64),
            (Some(first), None) => mark_somewhere(&mut rng, &mut first.script),
            (None, _) => {}
        }
    }
    Experiment { seed, index, tls, picture, pictures, calls, api, cdn }
}

/// Inserts a mark, which wakes the caller, at a random step of a script.
fn mark_somewhere(rng: &mut Rng, script: &mut Script) {
    let mut steps = script.steps().to_vec();
    // A handshake cut must stay the first step.
    let from = usize::from(matches!(steps.first(), Some(Step::Handshake(..))));
    let at = rng.usize(from..=steps.len());
    steps.splice(at..at, [Step::Mark, Step::Pause(Duration::from_micros(rng.u64(..3000)))]);
    *script = Script::new(steps);
}

fn order(rng: &mut Rng, alone: bool) -> CallSpec {
    let upload = (rng.u8(..100) < 35).then(|| match rng.u8(..100) {
        0..70 => rng.usize(..3000),
        70..94 => rng.usize(..600_000),
        _ => rng.usize(LARGE..13 << 20),
    });
    let caller = match rng.u8(..100) {
        0..58 => Caller::Waits,
        58..66 => Caller::Deadline(Duration::from_micros(rng.u64(..40_000))),
        66..74 => Caller::DropsAfter(Duration::from_micros(rng.u64(..20_000))),
        74..80 => Caller::CancelsAfter(Duration::from_micros(rng.u64(..20_000))),
        80..92 if alone => Caller::DropsAtMark,
        92..100 if alone => Caller::CancelsAtMark,
        _ => Caller::Waits,
    };
    CallSpec { upload, to_file: rng.u8(..100) < 40, caller }
}
