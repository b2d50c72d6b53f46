//! The ledger: records which requests arrived, were generated, were charged and were delivered.

mod call;
mod entry;
mod log_row;
mod records;
mod store;

pub(crate) use call::Call;
pub use entry::LedgerEntry;
pub(crate) use log_row::LogRow;
pub(crate) use records::Records;
pub use records::{RecordedRequest, Side};
pub(crate) use store::Ledger;
