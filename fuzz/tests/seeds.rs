//! Runs every target over its committed seeds, so that errors found once do not come back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

use gptimage_fuzz::TARGETS;

const MOST: usize = 30;
const MOST_BYTES: usize = 200 * 1024;

#[test]
fn every_target_takes_its_seeds() {
    // A target may change the current folder, so this path is absolute.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut total = 0;
    for (name, target) in TARGETS {
        let seeds: Vec<_> = std::fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!((1..=MOST).contains(&seeds.len()), "{name} has {} seeds", seeds.len());
        for path in seeds {
            let seed = std::fs::read(&path).unwrap();
            total += seed.len();
            if std::panic::catch_unwind(|| target(&seed)).is_err() {
                panic!("{name} fails on {}", path.display());
            }
        }
        target(b"");
    }
    assert!(total <= MOST_BYTES, "the seeds are {total} bytes");
}
