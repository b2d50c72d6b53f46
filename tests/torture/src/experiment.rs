//! What one experiment is: some calls through one client, and what the server does to their connections.

use std::fmt;
use std::time::Duration;

use crate::scripted::Script;

/// Calls that run at the same time through one client, on a server of their own.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// What decided everything.
    pub seed: u64,
    /// Which one of this seed.
    pub index: u64,
    /// Whether the server speaks TLS.
    pub tls: bool,
    /// Which of the world's pictures the server answers.
    pub picture: usize,
    /// Pictures in an answer.
    pub pictures: usize,
    /// The calls.
    pub calls: Vec<CallSpec>,
    /// What happens to connections to the API, in their order.
    pub api: Vec<ScriptedFault>,
    /// What happens to downloads, in their order.
    pub cdn: Vec<ScriptedFault>,
}

/// A script, and what it is called when faults are counted.
#[derive(Debug, Clone)]
pub struct ScriptedFault {
    /// The kind of fault; [`ScriptedFault::NONE`] is none.
    pub fault: &'static str,
    /// What happens.
    pub script: Script,
}

impl ScriptedFault {
    /// The name of what is no fault.
    pub const NONE: &'static str = "none";
}

/// One call.
#[derive(Debug, Clone)]
pub struct CallSpec {
    /// The picture's length of an edit; none for a generation.
    pub upload: Option<usize>,
    /// Whether the result is streamed into a file.
    pub to_file: bool,
    /// What its caller does.
    pub caller: Caller,
}

/// What a caller does while its call is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Waits to the end.
    Waits,
    /// Sets a deadline.
    Deadline(Duration),
    /// Drops the future after a while.
    DropsAfter(Duration),
    /// Drops the future when the server's script comes to its mark.
    DropsAtMark,
    /// Cancels after a while.
    CancelsAfter(Duration),
    /// Cancels when the server's script comes to its mark.
    CancelsAtMark,
}

impl fmt::Display for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, index, pictures, .. } = self;
        let scheme = if self.tls { "https" } else { "http" };
        writeln!(f, "{seed}:{index} over {scheme}, {pictures} picture(s) of kind {}", self.picture)?;
        for call in &self.calls {
            let what = call.upload.map_or("generate".to_owned(), |bytes| format!("edit {bytes} bytes"));
            let into = if call.to_file { "a file" } else { "memory" };
            writeln!(f, "  call: {what} into {into}, caller {:?}", call.caller)?;
        }
        for (side, all) in [("api", &self.api), ("cdn", &self.cdn)] {
            for ScriptedFault { fault, script } in all {
                writeln!(f, "  {side} [{fault}]: {script}")?;
            }
        }
        Ok(())
    }
}
