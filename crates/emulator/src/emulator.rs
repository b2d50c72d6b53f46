//! The handle of a running emulator.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::api::Gateway;
use crate::blocking::block_on;
use crate::fault::{AnyFault, FaultQueue};
use crate::idle::Idle;
use crate::money::usd_text;
use crate::net::Stopper;
use crate::{CdnFault, Fault, LedgerEntry, ParseError, RecordedRequest};

/// A running emulator. Dropping it stops it.
///
/// ```
/// use gptimage_emulator::{Billing, Cut, Emulator, Fault};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::builder().billing(Billing::Pessimistic).key("sk-test").spawn()?;
/// emulator.fault(Fault::cut_request(1000, Cut::Rst));
/// // … the software under test calls `emulator.base_url()` with `emulator.key()` …
/// emulator.wait_idle_blocking();
/// assert_eq!(emulator.charges(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Emulator {
    parts: Parts,
}

/// What a handle holds.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) cdn_faults: Arc<FaultQueue<CdnFault>>,
    pub(crate) idle: Arc<Idle>,
    pub(crate) stopper: Stopper,
    pub(crate) base_url: String,
    pub(crate) cdn_url: String,
    pub(crate) control_url: String,
    pub(crate) key: String,
}

impl Emulator {
    pub(crate) fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// Returns the API's base URL, such as `http://127.0.0.1:34567/v1`.
    pub fn base_url(&self) -> &str {
        &self.parts.base_url
    }

    /// Returns the CDN's origin, such as `http://127.0.0.1:45678`.
    pub fn cdn_url(&self) -> &str {
        &self.parts.cdn_url
    }

    /// Returns the URL of the control interface, such as `http://127.0.0.1:34567/_emulator`: faults, the ledger and
    /// settings over HTTP, for tests in any language. A GET lists its requests.
    pub fn control_url(&self) -> &str {
        &self.parts.control_url
    }

    /// A key that works.
    pub fn key(&self) -> &str {
        &self.parts.key
    }

    /// Lets something go wrong with a paid call. Faults are tried in the order in which they were given.
    pub fn fault(&self, fault: Fault) {
        self.parts.gateway.faults.push(fault);
    }

    /// Adds a fault for a download.
    pub fn cdn_fault(&self, fault: CdnFault) {
        self.parts.cdn_faults.push(fault);
    }

    /// Adds one fault or a list of faults, in the JSON that [`Emulator::control_url`] takes. If one of them is wrong,
    /// none is added.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = gptimage_emulator::Emulator::builder().spawn()?;
    /// emulator.fault_json(serde_json::json!({"answer": {"status": 503, "body": "html"}, "on_call": 2}))?;
    /// let error = emulator.fault_json(serde_json::json!({"answer": {"status": "503"}})).unwrap_err();
    /// assert!(error.to_string().starts_with("answer.status: "));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A fault that cannot be read, with its field.
    pub fn fault_json(&self, faults: serde_json::Value) -> Result<(), ParseError> {
        AnyFault::push(AnyFault::read(faults)?, &self.parts.gateway.faults, &self.parts.cdn_faults);
        Ok(())
    }

    /// Changes settings while it runs, by the names that they have at [`Emulator::control_url`]: `latency`, `log_lag`,
    /// `url_expiry`, `error_form`, `price_headers`.
    ///
    /// # Errors
    /// A setting that is unknown or has a wrong value, with its field; then nothing is changed.
    pub fn set(&self, changes: serde_json::Map<String, serde_json::Value>) -> Result<(), ParseError> {
        self.parts.gateway.settings.change(changes).map(|_| ())
    }

    /// Removes the faults that have not struck yet.
    pub fn clear_faults(&self) {
        self.parts.gateway.faults.clear();
        self.parts.cdn_faults.clear();
    }

    /// Returns the entry of every paid POST so far, in the order of arrival. Settled after [`Emulator::wait_idle`].
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.parts.gateway.ledger.entries()
    }

    /// Returns how many calls were charged.
    pub fn charges(&self) -> u64 {
        self.parts.gateway.ledger.charges()
    }

    /// Returns the account's balance in US dollars, exact; negative for a debt.
    pub fn balance(&self) -> String {
        usd_text(self.parts.gateway.ledger.balance())
    }

    /// Returns the last 64 requests that arrived whole, of both listeners, in the order of their arrival.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.parts.gateway.records.all()
    }

    /// Returns how many connections the API accepted, including those to [`Emulator::control_url`].
    pub fn connections(&self) -> u64 {
        self.parts.gateway.connections.load(Ordering::Relaxed)
    }

    /// Waits until nothing that clients have sent so far can still change the ledger.
    ///
    /// A request that is still being sent is waited for; connections without a request, and those cut into silence, are
    /// not.
    pub async fn wait_idle(&self) {
        self.parts.idle.wait().await;
    }

    /// Like [`Emulator::wait_idle`], for callers without async. It deadlocks when called on a runtime that the emulator
    /// was [started](crate::EmulatorBuilder::start) on.
    pub fn wait_idle_blocking(&self) {
        block_on(self.wait_idle());
    }

    /// Stops the emulator: ports and connections are closed when this resolves.
    pub async fn stop(&self) {
        self.parts.stopper.ask();
        self.parts.stopper.ended().await;
    }

    /// Like [`Emulator::stop`], for callers without async. The condition of [`Emulator::wait_idle_blocking`] applies.
    pub fn stop_blocking(&self) {
        block_on(self.stop());
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.parts.stopper.ask();
    }
}
