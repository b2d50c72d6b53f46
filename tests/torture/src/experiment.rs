//! Experiments: some calls through one client, and the server's behaviour for each of their connections.

use std::fmt;
use std::time::Duration;

use crate::scripted::Script;

/// Calls that run at the same time through one client, on a server of their own.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The seed that the experiment was drawn from.
    pub seed: u64,
    /// The index of the experiment within its seed.
    pub index: u64,
    /// Whether the server speaks TLS.
    pub tls: bool,
    /// Index of the world's image that the server responds with.
    pub picture: usize,
    /// Number of images in a response.
    pub pictures: usize,
    /// The calls.
    pub calls: Vec<CallSpec>,
    /// Scripts for connections to the API, in order.
    pub api: Vec<ScriptedFault>,
    /// Scripts for downloads, in order.
    pub cdn: Vec<ScriptedFault>,
}

/// A script, with the name under which its fault is counted.
#[derive(Debug, Clone)]
pub struct ScriptedFault {
    /// The kind of fault; [`ScriptedFault::NONE`] if there is none.
    pub fault: &'static str,
    /// The server's behaviour.
    pub script: Script,
}

impl ScriptedFault {
    /// The name used if there is no fault.
    pub const NONE: &'static str = "none";
}

/// One call.
#[derive(Debug, Clone)]
pub struct CallSpec {
    /// Size of the uploaded image for an edit; `None` for a generation.
    pub upload: Option<usize>,
    /// Whether the result is streamed into a file.
    pub to_file: bool,
    /// The caller's behaviour.
    pub caller: Caller,
}

/// The behaviour of a caller while its call is in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Waits until the call ends.
    Waits,
    /// Sets a deadline.
    Deadline(Duration),
    /// Drops the future after this time.
    DropsAfter(Duration),
    /// Drops the future when the server's script reaches its mark.
    DropsAtMark,
    /// Cancels after this time.
    CancelsAfter(Duration),
    /// Cancels when the server's script reaches its mark.
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
