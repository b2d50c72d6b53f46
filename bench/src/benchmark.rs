//! The benchmarks: each does a job in a process of its own, which prints what it cost.

use crate::failure::Failure;
use crate::job::{Idle, Job};
use crate::{baseline, curl, gptimage, plain, process};

/// The argument that makes this program one measured run.
pub(crate) const COMMAND: &str = "run";

/// A client and the way in which it does a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Benchmark {
    GptimageInTurn,
    BaselineFresh,
    BaselineKept,
    GptimageAtOnce,
    PlainAtOnce,
    GptimageEdit,
    CurlEdit,
}

impl Benchmark {
    const ALL: [Self; 7] = [
        Self::GptimageInTurn,
        Self::BaselineFresh,
        Self::BaselineKept,
        Self::GptimageAtOnce,
        Self::PlainAtOnce,
        Self::GptimageEdit,
        Self::CurlEdit,
    ];

    /// Its name as an argument.
    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }
}

/// Does a job in this process and prints what it cost.
pub(crate) fn run(name: &str, job: &[&str]) -> Result<(), Failure> {
    let benchmark = Benchmark::ALL.into_iter().find(|benchmark| benchmark.name() == name).ok_or("no benchmark")?;
    let [url, folder, count] = job else { return Err("a job is a URL, a folder and a count".into()) };
    let job = Job { url: (*url).to_owned(), folder: folder.into(), count: count.parse()? };
    let alone = |work: Result<(), Failure>, idle| work.map(|()| idle);
    let started = Idle::now()?;
    let idle = match benchmark {
        Benchmark::GptimageInTurn => gptimage::in_turn(&job)?,
        Benchmark::GptimageAtOnce => gptimage::at_once(&job)?,
        Benchmark::GptimageEdit => gptimage::edit(&job)?,
        Benchmark::PlainAtOnce => plain::at_once(&job)?,
        Benchmark::BaselineFresh => alone(baseline::in_turn(&job, false), started)?,
        Benchmark::BaselineKept => alone(baseline::in_turn(&job, true), started)?,
        Benchmark::CurlEdit => alone(curl::edit(&job), started)?,
    };
    // This process does nothing for curl but to start it.
    let cpu = if benchmark == Benchmark::CurlEdit { process::cpu_of_children()? } else { process::cpu()? };
    let above_idle = process::peak_kib()?.saturating_sub(idle.kib);
    println!("{} {} {} {above_idle}", cpu.as_micros(), idle.cpu.as_micros(), idle.kib);
    Ok(())
}
