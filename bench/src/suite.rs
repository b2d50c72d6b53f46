//! The jobs, run by each of their benchmarks in turn, and the checks that they were really done.

use std::fs::{self, File};
use std::path::Path;

use crate::benchmark::Benchmark;
use crate::child::{Runner, Server};
use crate::failure::Failure;
use crate::job::{Cost, Job};
use crate::python::{self, Imports, Python};
use crate::{curl, folder, picture, server};

const ROUNDS: usize = 5;
const CALLS_IN_TURN: usize = 50;
const CALLS_AT_ONCE: usize = 128;
const SMALL_CALLS: usize = 2000;
const EDIT_FILES: usize = 16;
/// Dimensions of an RGBA image that, with the format's overhead, just stays within 50 MiB.
const EDIT_PIXELS: (u32, u32) = (4096, 3199);

/// All measurements.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) in_memory: bool,
    /// Runs of the baseline, of gptimage and of the baseline on one kept connection, then Python's if there is an interpreter.
    pub(crate) in_turn: Vec<Runs>,
    /// Runs of the plain way and of gptimage, then Python's if there is an interpreter.
    pub(crate) at_once: Vec<Runs>,
    /// Runs of gptimage, then curl's if there is a curl.
    pub(crate) edit: Vec<Runs>,
    pub(crate) python: Option<InPython>,
}

/// The measurements that are made in Python only.
#[derive(Debug)]
pub(crate) struct InPython {
    /// Runs of gptimage and of openai-python.
    pub(crate) small: Vec<Runs>,
    /// The number of calls between set-up and end of `small`, over which its cost is divided.
    pub(crate) small_calls: usize,
    pub(crate) imports: Vec<Imports>,
    pub(crate) wheel_len: u64,
}

/// The runs of one benchmark.
#[derive(Debug)]
pub(crate) struct Runs {
    runner: Runner,
    pub(crate) costs: Vec<Cost>,
}

/// Runs all measurements.
pub(crate) fn run_all(python: Option<&Python>) -> Result<Figures, Failure> {
    let (folder, in_memory) = folder::make()?;
    let picture = picture::answered()?;
    let pictures = |count: usize| {
        let picture = &picture;
        move |job: &Job, server: &Server| {
            let (requests, _) = server.received()?;
            expect("requests", requests, count)?;
            check_pictures(job, picture)
        }
    };
    let job = |server: &Server, count| Job { url: server.url(), folder: folder.path().to_owned(), count };

    let runners = |benchmarks: &[Benchmark], way: &str| {
        let rust: Result<Vec<_>, _> = benchmarks.iter().map(|benchmark| Runner::of(*benchmark)).collect();
        rust.map(|rust| rust.into_iter().chain(python.into_iter().flat_map(|python| python.both(way))).collect())
    };

    let server = Server::start(1)?;
    let benchmarks =
        runners(&[Benchmark::BaselineFresh, Benchmark::GptimageInTurn, Benchmark::BaselineKept], "in_turn")?;
    let in_turn = rounds(benchmarks, &job(&server, CALLS_IN_TURN), &server, pictures(CALLS_IN_TURN))?;

    let holding = Server::start(CALLS_AT_ONCE)?;
    let benchmarks = runners(&[Benchmark::PlainAtOnce, Benchmark::GptimageAtOnce], "at_once")?;
    let at_once = rounds(benchmarks, &job(&holding, CALLS_AT_ONCE), &holding, pictures(CALLS_AT_ONCE))?;
    drop(holding);

    let python = python.map(|python| run_python(python, &server, folder.path())).transpose()?;

    let mut benchmarks = vec![Runner::of(Benchmark::GptimageEdit)?];
    if curl::is_there() {
        benchmarks.push(Runner::of(Benchmark::CurlEdit)?);
    }
    let edit_job = job(&server, EDIT_FILES);
    let input_bytes = make_inputs(&edit_job)?;
    let edit = rounds(benchmarks, &edit_job, &server, |job, server| check_edit(job, server, input_bytes))?;
    Ok(Figures { in_memory, in_turn, at_once, edit, python })
}

/// Runs the measurements that are made in Python only.
fn run_python(python: &Python, server: &Server, folder: &Path) -> Result<InPython, Failure> {
    let url = format!("{}{}", server.url(), server::SMALL_PATH);
    let job = Job { url, folder: folder.to_owned(), count: SMALL_CALLS };
    let small = rounds(python.both("small").into(), &job, server, |_, server| {
        let (requests, _) = server.received()?;
        expect("requests", requests, python::CALLS_BEFORE + SMALL_CALLS)
    })?;
    Ok(InPython { small, small_calls: SMALL_CALLS, imports: python.imports()?, wheel_len: python.wheel_len()? })
}

/// Runs benchmarks in turn, several times, and checks every run.
fn rounds(
    runners: Vec<Runner>,
    job: &Job,
    server: &Server,
    check: impl Fn(&Job, &Server) -> Result<(), Failure>,
) -> Result<Vec<Runs>, Failure> {
    let mut all: Vec<_> = runners.into_iter().map(|runner| Runs { runner, costs: Vec::new() }).collect();
    for _ in 0..ROUNDS {
        for Runs { runner, costs } in &mut all {
            let cost = runner.run(job).and_then(|cost| check(job, server).map(|()| cost));
            costs.push(cost.map_err(|failure| format!("{runner:?} did not do its job: {failure}"))?);
        }
    }
    Ok(all)
}

/// Checks that there is a correct image for every call and nothing else, then deletes them.
fn check_pictures(job: &Job, picture: &[u8]) -> Result<(), Failure> {
    expect("files", fs::read_dir(&job.folder)?.count(), job.count)?;
    for number in 0..job.count {
        let path = job.picture(number);
        if fs::read(&path)? != picture {
            return Err(format!("{} is not the picture that was sent", path.display()).into());
        }
        fs::remove_file(path)?;
    }
    Ok(())
}

/// Checks that one request with all inputs arrived and that its response became a file.
fn check_edit(job: &Job, server: &Server, input_bytes: u64) -> Result<(), Failure> {
    let (requests, bytes) = server.received()?;
    expect("requests", requests, 1)?;
    if bytes <= input_bytes {
        return Err(format!("only {bytes} bytes of the {input_bytes} in the files were sent").into());
    }
    expect("files", fs::read_dir(&job.folder)?.count(), job.count + 1)?;
    Ok(fs::remove_file(job.picture(0))?)
}

fn expect(what: &str, found: usize, wanted: usize) -> Result<(), Failure> {
    if found == wanted { Ok(()) } else { Err(format!("{found} {what} instead of {wanted}").into()) }
}

/// Creates the files of an edit and returns their total length.
fn make_inputs(job: &Job) -> Result<u64, Failure> {
    let first = job.input(0);
    picture::write_noise(File::create(&first)?, EDIT_PIXELS.0, EDIT_PIXELS.1)?;
    for number in 1..job.count {
        fs::copy(&first, job.input(number))?;
    }
    job.inputs().map(|path| len(&path)).sum()
}

fn len(path: &Path) -> Result<u64, Failure> {
    Ok(fs::metadata(path)?.len())
}
