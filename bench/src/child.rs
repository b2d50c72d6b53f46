//! Child processes: the server and measured runs.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::benchmark::{self, Benchmark};
use crate::failure::Failure;
use crate::job::{Cost, Job};
use crate::server;

/// A running server; stopped when dropped.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts a server that responds once `hold` requests have arrived.
    pub(crate) fn start(hold: usize) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([server::COMMAND, &hold.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("the server has no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(Self { child, port: line.trim().parse()? })
    }

    /// Returns the server's URL without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the number of requests, and of bytes in them, since the last call.
    pub(crate) fn received(&self) -> Result<(usize, u64), Failure> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(stream, "GET {} HTTP/1.1\r\n\r\n", server::RECEIVED_PATH)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let said = answer.split("\r\n\r\n").nth(1).and_then(|body| body.split_once(' '));
        let (requests, bytes) = said.ok_or("the server does not say what it received")?;
        Ok((requests.parse()?, bytes.parse()?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server ends when its standard input is closed.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// A command that runs a job in a process of its own. The job's arguments follow its own.
#[derive(Debug, Clone)]
pub(crate) struct Runner {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Runner {
    pub(crate) fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self { program, arguments }
    }

    /// Returns a runner that starts this program for a benchmark.
    pub(crate) fn of(benchmark: Benchmark) -> Result<Self, Failure> {
        Ok(Self::new(std::env::current_exe()?, vec![benchmark::COMMAND.into(), benchmark.name().into()]))
    }

    pub(crate) fn run(&self, job: &Job) -> Result<Cost, Failure> {
        let output = Command::new(&self.program)
            .args(&self.arguments)
            .arg(&job.url)
            .arg(&job.folder)
            .arg(job.count.to_string())
            // gptimage never uses a proxy for loopback; this makes the other clients do the same.
            .env("NO_PROXY", "127.0.0.1")
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(format!("it failed: {}", output.status).into());
        }
        Cost::parse(std::str::from_utf8(&output.stdout)?)
    }
}
