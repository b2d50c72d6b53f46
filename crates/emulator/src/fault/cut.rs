//! How a connection ends too soon.

use serde::Deserialize;

/// The way a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// A polite end: the peer reads everything sent so far, then an end of file. What it still sends is discarded.
    Fin,
    /// A reset. It may overtake bytes that the peer has not read when more of them are on the way than its receive
    /// buffer takes (64 KiB and more on loopback); up to there it is exact.
    Rst,
    /// Nothing more is read or written; the connection stays open until the peer leaves or the emulator stops.
    Silence,
}

/// How a server behaves that answers while the request's body is still arriving.
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
