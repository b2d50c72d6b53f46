//! The Python benchmarks: gptimage's binding and openai-python, run as scripts by an interpreter that has both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use crate::child::Runner;
use crate::failure::Failure;

/// The argument before the interpreter and the wheel.
pub(crate) const COMMAND: &str = "python";

/// Number of small warm-up calls, as in `measure.py`.
pub(crate) const CALLS_BEFORE: usize = 1000;

/// Ignore the environment, and write no compiled files beside the sources.
const FLAGS: [&str; 3] = ["-E", "-s", "-B"];
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");
const IMPORTS: usize = 25;

/// An interpreter that has gptimage and openai installed, and the wheel that gptimage came from.
#[derive(Debug)]
pub(crate) struct Python {
    interpreter: PathBuf,
    wheel: PathBuf,
}

/// Run times of whole interpreters that differ only in their imports, measured one after another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Imports {
    pub(crate) bare: Duration,
    pub(crate) gptimage: Duration,
    pub(crate) openai: Duration,
}

impl Python {
    pub(crate) fn new(interpreter: &str, wheel: &str) -> Self {
        Self { interpreter: interpreter.into(), wheel: wheel.into() }
    }

    /// Returns runners that do the same job with gptimage and with openai-python.
    pub(crate) fn both(&self, way: &str) -> [Runner; 2] {
        ["run_gptimage.py", "run_openai.py"].map(|script| {
            let script = Path::new(SCRIPTS).join(script).into_os_string();
            let arguments = FLAGS.into_iter().map(Into::into).chain([script, way.into()]).collect();
            Runner::new(self.interpreter.clone(), arguments)
        })
    }

    /// Starts interpreters in turn that import nothing, gptimage and openai-python.
    pub(crate) fn imports(&self) -> Result<Vec<Imports>, Failure> {
        let imports = |_| {
            let (bare, gptimage) = (self.time("pass")?, self.time("import gptimage")?);
            Ok(Imports { bare, gptimage, openai: self.time("import openai")? })
        };
        (0..IMPORTS).map(imports).collect()
    }

    fn time(&self, statement: &str) -> Result<Duration, Failure> {
        let mut python = Command::new(&self.interpreter);
        python.args(FLAGS).args(["-c", statement]).stdin(Stdio::null());
        let began = Instant::now();
        let status = python.status()?;
        let took = began.elapsed();
        if status.success() { Ok(took) } else { Err(format!("Python cannot {statement}: {status}").into()) }
    }

    pub(crate) fn wheel_len(&self) -> Result<u64, Failure> {
        Ok(fs::metadata(&self.wheel)?.len())
    }
}
