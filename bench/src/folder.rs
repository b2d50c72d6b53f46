//! The folder for the images: in memory if there is room, so that the disk is not measured.

use std::path::Path;

use nix::sys::statvfs::statvfs;
use tempfile::TempDir;

use crate::failure::Failure;

const IN_MEMORY: &str = "/dev/shm";
/// Space for the largest job's files, 16 inputs of 50 MB, with a margin.
const ROOM: u64 = 1 << 30;

/// Creates the folder. Returns also whether it is in memory.
pub(crate) fn make() -> Result<(TempDir, bool), Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("gptimage-bench-");
    if has_room(Path::new(IN_MEMORY)) {
        return Ok((builder.tempdir_in(IN_MEMORY)?, true));
    }
    Ok((builder.tempdir()?, false))
}

fn has_room(path: &Path) -> bool {
    // The types of these fields differ between systems.
    #[allow(clippy::useless_conversion, reason = "u32 on some systems, u64 on others")]
    statvfs(path).is_ok_and(|found| u64::from(found.blocks_available()) * u64::from(found.fragment_size()) >= ROOM)
}
