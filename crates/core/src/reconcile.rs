//! Finds out from the vendor's usage log whether attempts were charged.
//!
//! The decision ([`reconcile_rows`]) is pure; `transport/usage_log.rs` reads the log.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::attempt::Attempt;
use crate::charge::{Charge, Cost};
use crate::config::Settings;
use crate::error::Error;
use crate::runtime::require_runtime;
use crate::transport::{Http, UsageLog, read_usage_log};
use crate::wire::{LogRow, LogStatus};

/// An attempt to look up, identified by its record or by its client request id.
#[derive(Debug, Clone)]
pub struct ReconcileTarget {
    pub(crate) client_request_id: String,
    /// The charge that is already proved, and the price.
    pub(crate) known: Option<(Charge, Option<Cost>)>,
    /// The vendor's id of the inference, if a response stated it.
    pub(crate) inference_id: Option<String>,
}

impl ReconcileTarget {
    /// Sets what is already proved about the attempt; then it is not looked up. [`Charge::Unknown`] proves nothing.
    #[must_use]
    pub fn known(mut self, charge: Charge, cost: Option<Cost>) -> Self {
        self.known = (charge != Charge::Unknown).then_some((charge, cost));
        self
    }

    /// Sets the vendor's id of the inference, if a response stated it. Log rows of another inference are then ignored.
    #[must_use]
    pub fn inference_id(mut self, inference_id: Option<String>) -> Self {
        self.inference_id = inference_id;
        self
    }
}

impl From<&str> for ReconcileTarget {
    fn from(client_request_id: &str) -> Self {
        Self { client_request_id: client_request_id.to_owned(), known: None, inference_id: None }
    }
}

impl From<&String> for ReconcileTarget {
    fn from(client_request_id: &String) -> Self {
        Self::from(client_request_id.as_str())
    }
}

impl From<String> for ReconcileTarget {
    fn from(client_request_id: String) -> Self {
        Self::from(client_request_id.as_str())
    }
}

impl From<&Attempt> for ReconcileTarget {
    fn from(attempt: &Attempt) -> Self {
        Self::from(&attempt.client_request_id)
            .known(attempt.charge, attempt.cost)
            .inference_id(attempt.inference_id.clone())
    }
}

/// The result of looking up one attempt in the vendor's usage log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Reconciled {
    /// The client request id of the attempt.
    pub client_request_id: String,
    /// [`Charge::NotCharged`] if the log says that the attempt failed and cost nothing, so that it may be repeated.
    /// [`Charge::Charged`] if it succeeded or cost something. [`Charge::Unknown`] if the log does not tell or cannot be
    /// read.
    pub charge: Charge,
    /// The price in the log, if the attempt was charged.
    pub cost: Option<Cost>,
    /// The vendor's id of the inference.
    pub inference_id: Option<String>,
    /// The vendor's id of the HTTP request.
    pub request_id: Option<String>,
    /// The time of the call, as the log states it (ISO 8601).
    pub created: Option<String>,
    /// One line that says what to do next. For a charged attempt it contains everything needed for a refund.
    pub message: String,
}

/// A look-up that was not sent yet. [`Reconcile::send`] sends it, which is free.
#[derive(Debug)]
#[must_use = "a lookup does nothing until `send`"]
pub struct Reconcile {
    http: Http,
    settings: Arc<Settings>,
    targets: Vec<ReconcileTarget>,
    period: String,
    timeout: Duration,
}

impl Reconcile {
    pub(crate) fn new(http: Http, settings: Arc<Settings>, targets: Vec<ReconcileTarget>) -> Self {
        let timeout = settings.timers.usage_log;
        Self { http, settings, targets, period: "24h".to_owned(), timeout }
    }

    /// Sets how far back the log is read, in the vendor's format: minutes, hours or days, such as `7d`. Default: `24h`.
    pub fn period(mut self, period: impl Into<String>) -> Self {
        self.period = period.into();
        self
    }

    /// Sets how long to wait for a row that is missing, says that the call is still running, or contradicts another
    /// row. Rows appear some time after the response. With zero, the log is read once. Default: [`Timers::usage_log`].
    ///
    /// [`Timers::usage_log`]: crate::Timers::usage_log
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Reads the usage log and returns one result for each attempt, in their order.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) outside a tokio runtime.
    pub fn send(self) -> impl Future<Output = Result<Vec<Reconciled>, Error>> + Send + Unpin + 'static {
        Box::pin(self.ask())
    }

    async fn ask(self) -> Result<Vec<Reconciled>, Error> {
        require_runtime()?;
        let Self { http, settings, targets, period, timeout } = self;
        let open: Vec<&ReconcileTarget> = targets.iter().filter(|target| target.known.is_none()).collect();
        let ids: Vec<&str> = open.iter().map(|target| target.client_request_id.as_str()).collect();
        let is_complete = |rows: &[LogRow]| open.iter().all(|target| is_resolved(target, rows));
        let UsageLog { rows, unreadable } = read_usage_log(&http, &settings, &ids, &period, timeout, is_complete).await;
        let reconciled: Vec<_> =
            targets.iter().map(|target| reconcile_rows(target, &rows, unreadable.as_deref())).collect();
        if let Some(budget) = &settings.budget {
            for one in &reconciled {
                budget.reconciled(&one.client_request_id, one.charge, one.cost);
            }
        }
        Ok(reconciled)
    }
}

/// Derives the result of an attempt from the rows. `unreadable` says why the log could not be read completely.
fn reconcile_rows(target: &ReconcileTarget, rows: &[LogRow], unreadable: Option<&str>) -> Reconciled {
    let id = &target.client_request_id;
    let of_it: Vec<_> = rows.iter().filter(|row| &row.client_request_id == id).collect();
    let first = of_it.first();
    let inference_id = first.and_then(|row| row.inference_id.clone()).or_else(|| target.inference_id.clone());
    let (charge, cost) = target.known.unwrap_or_else(|| charge_of_rows(target, &of_it));
    let message = match charge {
        Charge::NotCharged if target.known.is_some() => "provably not charged: it may be sent again".to_owned(),
        Charge::NotCharged => "the vendor's log says that it failed and cost nothing: it may be sent again".to_owned(),
        Charge::Charged => {
            let price = cost
                .and_then(Cost::in_usd)
                .map_or_else(|| "it was charged".to_owned(), |usd| format!("it cost {usd} USD"));
            let work = inference_id.as_ref().map_or_else(String::new, |id| format!(", inference id {id}"));
            let when =
                first.and_then(|row| row.created.as_ref()).map_or_else(String::new, |when| format!(", of {when}"));
            format!(
                "{price}: if its picture did not arrive, ask the vendor for a refund, naming client request id {id}{work}{when}; \
                 sending it again is paid again"
            )
        }
        Charge::Unknown => match (of_it.is_empty(), unreadable) {
            (true, Some(unreadable)) => format!("{unreadable}; ask again later, and do not repeat the call before"),
            (true, None) => "the vendor's log has no row of it, which proves nothing; ask again later".to_owned(),
            (false, _) if of_it.iter().any(|row| row.price.unreadable) => {
                "the vendor's log states a price that cannot be read; ask the vendor, and do not repeat the call before"
                    .to_owned()
            }
            (false, _) if of_it.iter().any(|row| row.status == LogStatus::Running) => {
                "the vendor's log says that it is still running; ask again later, and do not repeat the call before"
                    .to_owned()
            }
            (false, _) => "the vendor's log contradicts itself about it; ask the vendor".to_owned(),
        },
    };
    Reconciled {
        client_request_id: id.clone(),
        charge,
        cost,
        inference_id,
        request_id: first.and_then(|row| row.request_id.clone()),
        created: first.and_then(|row| row.created.clone()),
        message,
    }
}

/// Returns whether reading the log again cannot change the result: the charge is proved and no row says that the call
/// is still running.
fn is_resolved(target: &ReconcileTarget, rows: &[LogRow]) -> bool {
    let of_it: Vec<_> = rows.iter().filter(|row| row.client_request_id == target.client_request_id).collect();
    charge_of_rows(target, &of_it).0 != Charge::Unknown && of_it.iter().all(|row| row.status != LogStatus::Running)
}

/// Derives the charge from all rows of one attempt. It stays unknown unless the rows allow only one conclusion.
fn charge_of_rows(target: &ReconcileTarget, rows: &[&LogRow]) -> (Charge, Option<Cost>) {
    let other_work =
        |row: &&LogRow| matches!((&target.inference_id, &row.inference_id), (Some(known), Some(said)) if known != said);
    let sum = rows.iter().fold(Cost::default(), |sum, row| sum.plus(row.price.known()));
    // A stated price or a success proves the charge, whatever the other rows say.
    if sum.is_positive() || rows.iter().any(|row| row.status == LogStatus::Succeeded) {
        return (Charge::Charged, sum.or_none());
    }
    let free =
        |row: &&LogRow| row.status == LogStatus::Failed && !row.price.unreadable && row.price.cost.or_none().is_some();
    if !rows.is_empty() && rows.iter().all(free) && !rows.iter().any(other_work) {
        return (Charge::NotCharged, None);
    }
    (Charge::Unknown, None)
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
