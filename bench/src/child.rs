//! Processes of our own: the server, and measured runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use crate::contestant::{self, Contestant, Cost, Job};
use crate::{Failure, server};

/// A running server. Dropped, it ends.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts one that answers requests once `hold` of them have come.
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

    /// Its address without a path.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many requests came since this was last asked, and how many bytes in them.
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
        // The end of its input ends it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Does a job in a process of its own.
pub(crate) fn run(contestant: Contestant, job: &Job) -> Result<Cost, Failure> {
    let output = Command::new(std::env::current_exe()?)
        .args([contestant::COMMAND, &contestant.name(), &job.url])
        .arg(&job.folder)
        .arg(job.count.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{contestant:?} failed: {}", output.status).into());
    }
    Cost::parse(std::str::from_utf8(&output.stdout)?)
}
