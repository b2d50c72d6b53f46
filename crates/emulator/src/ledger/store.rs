//! The ledger: every paid POST that reached the server, the balance, and the number of calls in progress.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::LedgerEntry;
use super::log_row::{Ids, LogRow, Record};
use crate::activity::Activity;
use crate::sync::lock;
use crate::{Billing, Operation, Price};

#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) billing: Billing,
    state: Mutex<State>,
    activity: Arc<Activity>,
}

#[derive(Debug)]
struct State {
    records: Vec<Record>,
    /// Credits left; a debt is negative.
    balance: i128,
    /// Calls that may still change their entry.
    active: u64,
}

impl Ledger {
    pub(crate) fn new(billing: Billing, balance: i128, activity: Arc<Activity>) -> Self {
        let state = State { records: Vec::new(), balance, active: 0 };
        Self { billing, state: Mutex::new(state), activity }
    }

    /// Opens an entry, which counts as in progress until [`Ledger::close`].
    pub(crate) fn open(
        &self,
        operation: Operation,
        authorized: bool,
        client_request_id: Option<&str>,
        ids: Ids,
    ) -> u64 {
        let mut state = lock(&self.state);
        let seq = state.records.len() as u64 + 1;
        let mut entry = LedgerEntry::new(seq, operation);
        entry.authorized = authorized;
        entry.client_request_id = client_request_id.map(str::to_owned);
        state.records.push(Record { entry, ids, answered_at: None });
        state.active += 1;
        seq
    }

    /// Marks one open entry as final.
    pub(crate) fn close(&self) {
        lock(&self.state).active -= 1;
        self.activity.touch();
    }

    pub(crate) fn update(&self, seq: u64, change: impl FnOnce(&mut LedgerEntry)) {
        self.update_record(seq, |record| change(&mut record.entry));
    }

    /// Sets when a call's response is sent. Its row is listed then, or later if the log lags.
    pub(crate) fn set_answered(&self, seq: u64, at: Instant) {
        self.update_record(seq, |record| record.answered_at = Some(at));
    }

    fn update_record(&self, seq: u64, change: impl FnOnce(&mut Record)) {
        let mut state = lock(&self.state);
        let index = usize::try_from(seq).unwrap_or(usize::MAX).wrapping_sub(1);
        if let Some(record) = state.records.get_mut(index) {
            change(record);
        }
    }

    /// Charges a call. The balance may become negative.
    pub(crate) fn charge(&self, seq: u64, price: Price) {
        let mut state = lock(&self.state);
        state.balance -= i128::from(price.credits);
        drop(state);
        self.update(seq, |entry| entry.charge = Some(price));
    }

    /// Charges a call if the balance covers it. Otherwise charges nothing and returns `false`.
    pub(crate) fn charge_if_covered(&self, seq: u64, price: Price) -> bool {
        let mut state = lock(&self.state);
        let covered = state.balance >= i128::from(price.credits);
        if covered {
            state.balance -= i128::from(price.credits);
        }
        drop(state);
        if covered {
            self.update(seq, |entry| entry.charge = Some(price));
        }
        covered
    }

    /// Reverses a charge.
    pub(crate) fn refund(&self, seq: u64, price: Price) {
        lock(&self.state).balance += i128::from(price.credits);
        self.update(seq, |entry| entry.charge = None);
    }

    pub(crate) fn covers(&self, price: Price) -> bool {
        lock(&self.state).balance >= i128::from(price.credits)
    }

    pub(crate) fn entries(&self) -> Vec<LedgerEntry> {
        lock(&self.state).records.iter().map(|record| record.entry.clone()).collect()
    }

    pub(crate) fn charges(&self) -> u64 {
        lock(&self.state).records.iter().filter(|record| record.entry.charge.is_some()).count() as u64
    }

    /// Returns the rows of the gateway's log, the newest first, if they are listed `lag` after the responses.
    pub(crate) fn log_rows(&self, lag: Duration) -> Vec<LogRow> {
        let now = Instant::now();
        lock(&self.state).records.iter().rev().filter_map(|record| record.log_row(lag, now)).collect()
    }

    pub(crate) fn balance(&self) -> i128 {
        lock(&self.state).balance
    }

    /// Returns whether no entry can change any more.
    pub(crate) fn is_settled(&self) -> bool {
        lock(&self.state).active == 0
    }
}
