//! The ways in which a connection is cut or answered early.

use serde::Deserialize;

/// The way a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// Sends FIN: the peer reads everything sent so far, then an end of file. What it still sends is discarded.
    Fin,
    /// Sends RST. It may overtake bytes that the peer has not read when more of them are on the way than its receive
    /// buffer takes (64 KiB and more on loopback); up to there it is exact.
    Rst,
    /// Reads and writes nothing more; the connection stays open until the peer closes it or the emulator stops.
    Silence,
}

/// How the connection goes on after an answer that comes before the request is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Early {
    /// Answers, then reads the rest of the request and discards it.
    Drain,
    /// Answers with `connection: close`, ends its side, and reads on for a while.
    HalfClose,
    /// Answers, then resets: the peer may lose the answer.
    Reset,
}
