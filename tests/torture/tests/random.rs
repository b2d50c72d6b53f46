//! Calls under faults drawn at random: a small `make torture`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use gptimage_torture::campaign::campaign;
use gptimage_torture::draw::draw;

const CALLS: u64 = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_calls_under_random_faults() {
    let seed = fastrand::u64(..1 << 32);
    println!("seed {seed}; again: cargo run --release -p gptimage-torture -- --calls {CALLS} --seed {seed}");
    let ended = campaign(seed, CALLS, |_| {}).await.unwrap();
    let tally = &ended.tally;
    println!("{tally}");
    assert!(ended.failures.is_empty(), "{}", ended.failures.join("\n"));
    // Threat: paid-twice
    assert_eq!((tally.duplicates, tally.lost, tally.wrongly_free), (0, 0, 0));
    assert_eq!(tally.seen, tally.reported + tally.gone);
    // Guards against a test without effect: there were successes, charges and faults of every kind.
    assert!(tally.calls >= CALLS && tally.successes() > CALLS / 10, "{} successes", tally.successes());
    assert!(tally.faults_met() > CALLS / 2, "{} faults", tally.faults_met());
    assert!(tally.charges > CALLS / 4 && tally.collected > 0, "{} charges", tally.charges);
}

#[test]
fn a_seed_decides_everything() {
    for index in 0..2_000 {
        let (one, other) = (draw(17, index), draw(17, index));
        assert_eq!(one.to_string(), other.to_string());
        for drawn in one.api.iter().chain(&one.cdn) {
            assert_eq!(drawn.script.to_string().parse(), Ok(drawn.script.clone()));
        }
    }
    assert_ne!(draw(17, 0).to_string(), draw(18, 0).to_string());
}
