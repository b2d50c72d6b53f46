//! One way to do a job, run in a process of its own, and what that process says about itself.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Failure, curl, floor, ours, plain, process};

/// The argument that makes this program one measured run.
pub(crate) const COMMAND: &str = "run";

/// Who does a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contestant {
    OursInTurn,
    FloorFresh,
    FloorKept,
    OursAtOnce,
    PlainAtOnce,
    OursEdit,
    CurlEdit,
}

impl Contestant {
    const ALL: [Self; 7] = [
        Self::OursInTurn,
        Self::FloorFresh,
        Self::FloorKept,
        Self::OursAtOnce,
        Self::PlainAtOnce,
        Self::OursEdit,
        Self::CurlEdit,
    ];

    /// Its name as an argument.
    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }
}

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
    cpu: Duration,
    kib: u64,
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

/// Does a job in this process and prints what it cost.
pub(crate) fn run(name: &str, job: &[&str]) -> Result<(), Failure> {
    let contestant = Contestant::ALL.into_iter().find(|contestant| contestant.name() == name).ok_or("no contestant")?;
    let [url, folder, count] = job else { return Err("a job is a URL, a folder and a count".into()) };
    let job = Job { url: (*url).to_owned(), folder: folder.into(), count: count.parse()? };
    let alone = |work: Result<(), Failure>, idle| work.map(|()| idle);
    let started = Idle::now()?;
    let idle = match contestant {
        Contestant::OursInTurn => ours::in_turn(&job)?,
        Contestant::OursAtOnce => ours::at_once(&job)?,
        Contestant::OursEdit => ours::edit(&job)?,
        Contestant::PlainAtOnce => plain::at_once(&job)?,
        Contestant::FloorFresh => alone(floor::in_turn(&job, false), started)?,
        Contestant::FloorKept => alone(floor::in_turn(&job, true), started)?,
        Contestant::CurlEdit => alone(curl::edit(&job), started)?,
    };
    // This process does nothing for curl but to start it.
    let cpu = if contestant == Contestant::CurlEdit { process::cpu_of_children()? } else { process::cpu()? };
    let above_idle = process::peak_kib()?.saturating_sub(idle.kib);
    println!("{} {} {} {above_idle}", cpu.as_micros(), idle.cpu.as_micros(), idle.kib);
    Ok(())
}
