//! The benchmarks. Each runs a job in a process of its own, which prints its cost.

use crate::failure::Failure;
use crate::job::{Idle, Job};
use crate::{baseline, curl, gptimage, plain, process};

/// The argument that makes this program do one measured run.
pub(crate) const COMMAND: &str = "run";

/// A benchmark: a client and how it does a job.
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

    /// Returns the name used as an argument.
    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }
}

/// Runs a job in this process and prints its cost.
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
    // For curl, this process only starts the program, so the children's CPU time is measured.
    let cpu = if benchmark == Benchmark::CurlEdit { process::cpu_of_children()? } else { process::cpu()? };
    let above_idle = process::peak_kib()?.saturating_sub(idle.kib);
    println!("{} {} {} {above_idle}", cpu.as_micros(), idle.cpu.as_micros(), idle.kib);
    Ok(())
}
