//! Jobs, and what a run of one cost.

use std::path::PathBuf;
use std::time::Duration;

use crate::failure::Failure;
use crate::process;

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Job {
    /// The server's, without a path.
    pub(crate) url: String,
    /// Where results go.
    pub(crate) folder: PathBuf,
    /// How many calls; of an edit, how many files.
    pub(crate) count: usize,
}

impl Job {
    /// The file of one result.
    pub(crate) fn picture(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{number}.png"))
    }

    /// The files that an edit takes.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = PathBuf> {
        (0..self.count).map(|number| self.input(number))
    }

    /// One of them.
    pub(crate) fn input(&self, number: usize) -> PathBuf {
        self.folder.join(format!("input-{number}.png"))
    }
}

/// A process that is set up and has done nothing yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    pub(crate) cpu: Duration,
    pub(crate) kib: u64,
}

impl Idle {
    /// Takes the process's state as idle.
    pub(crate) fn now() -> Result<Self, Failure> {
        process::forget_peak()?;
        Ok(Self { cpu: process::cpu()?, kib: process::resident_kib()? })
    }
}

/// What a run cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Of the whole process, from its first instruction.
    pub(crate) cpu: Duration,
    /// What of it had gone before the first call.
    pub(crate) set_up: Duration,
    pub(crate) idle_kib: u64,
    /// Peak memory above idle.
    pub(crate) above_idle_kib: u64,
}

impl Cost {
    /// Reads what a run printed.
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
