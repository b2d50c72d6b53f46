//! Errors of starting an emulator.

/// Why an emulator could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A port on loopback could not be bound, or the emulator's thread not be started.
    #[error("the emulator could not start: {0}")]
    Io(#[from] std::io::Error),
    /// The balance is not an amount in US dollars.
    #[error("{0:?} is not a balance: write US dollars as digits with at most 7 decimals in steps of 0.0000005")]
    Balance(String),
}
