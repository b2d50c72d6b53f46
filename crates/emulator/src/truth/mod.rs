//! The truth: what arrived, what was made, what was charged, what was delivered.

mod call;
mod entry;
mod landed;
mod ledger;
mod records;

pub(crate) use call::Call;
pub use entry::LedgerEntry;
pub(crate) use landed::Landed;
pub(crate) use ledger::Ledger;
pub(crate) use records::Records;
pub use records::{RecordedRequest, Side};
