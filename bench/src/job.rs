//! Jobs, and the measured cost of running one.

use std::path::PathBuf;
use std::time::Duration;

use crate::failure::Failure;
use crate::process;

/// A job for a benchmark.
#[derive(Debug)]
pub(crate) struct Job {
    /// The server's URL, without a path.
    pub(crate) url: String,
    /// The folder for the results.
    pub(crate) folder: PathBuf,
    /// The number of calls; for an edit, the number of files.
    pub(crate) count: usize,
}

impl Job {
    /// Returns the path of one result.
    pub(crate) fn picture(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{number}.png"))
    }

    /// Returns the paths of an edit's input files.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = PathBuf> {
        (0..self.count).map(|number| self.input(number))
    }

    /// Returns the path of one input file.
    pub(crate) fn input(&self, number: usize) -> PathBuf {
        self.folder.join(format!("input-{number}.png"))
    }
}

/// The state of a process that is set up and has not made a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    pub(crate) cpu: Duration,
    pub(crate) kib: u64,
}

impl Idle {
    /// Records the current state of this process as idle.
    pub(crate) fn now() -> Result<Self, Failure> {
        process::forget_peak()?;
        Ok(Self { cpu: process::cpu()?, kib: process::resident_kib()? })
    }
}

/// The cost of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// CPU time of the whole process, from its first instruction.
    pub(crate) cpu: Duration,
    /// The part of it that was used before the first call.
    pub(crate) set_up: Duration,
    pub(crate) idle_kib: u64,
    /// Peak memory above idle.
    pub(crate) above_idle_kib: u64,
}

impl Cost {
    /// Parses the output of a run.
    pub(crate) fn parse(printed: &str) -> Result<Self, Failure> {
        let numbers: Result<Vec<u64>, _> = printed.split_whitespace().map(str::parse).collect();
        match *numbers?.as_slice() {
            [cpu, set_up, idle_kib, above_idle_kib] => Ok(Self {
                cpu: Duration::from_micros(cpu),
                set_up: Duration::from_micros(set_up),
                idle_kib,
                above_idle_kib,
            }),
            _ => Err("a run printed no figures".into()),
        }
    }
}
