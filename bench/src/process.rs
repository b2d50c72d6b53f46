//! Resource usage of this process, as the system reports it.

use std::time::Duration;

use nix::sys::resource::{Usage, UsageWho, getrusage};

use crate::failure::Failure;

/// Returns the CPU time of all threads, user and system, since the process began.
pub(crate) fn cpu() -> Result<Duration, Failure> {
    total(&getrusage(UsageWho::RUSAGE_SELF)?)
}

/// Returns the CPU time of children that have ended and were waited for.
pub(crate) fn cpu_of_children() -> Result<Duration, Failure> {
    total(&getrusage(UsageWho::RUSAGE_CHILDREN)?)
}

fn total(usage: &Usage) -> Result<Duration, Failure> {
    let (user, system) = (usage.user_time(), usage.system_time());
    let micros = (user.tv_sec() + system.tv_sec()) * 1_000_000 + user.tv_usec() + system.tv_usec();
    Ok(Duration::from_micros(u64::try_from(micros)?))
}

/// Returns the current resident memory in KiB.
pub(crate) fn resident_kib() -> Result<u64, Failure> {
    status("VmRSS:")
}

/// Returns the peak resident memory since the last [`forget_peak`], in KiB.
pub(crate) fn peak_kib() -> Result<u64, Failure> {
    status("VmHWM:")
}

/// Resets the peak.
pub(crate) fn forget_peak() -> Result<(), Failure> {
    Ok(std::fs::write("/proc/self/clear_refs", "5")?)
}

fn status(field: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field in /proc/self/status")?;
    Ok(value.trim().trim_end_matches(" kB").parse()?)
}
