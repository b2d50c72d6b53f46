//! Limits the cost of calls: it is reserved before each attempt, and corrected afterwards.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::amount::Amount;
use crate::attempt::Attempt;
use crate::attempt_state::AttemptState;
use crate::charge::{Charge, Cost};
use crate::error::{Error, ErrorKind};
use crate::request::Request;

/// A limit on the total cost of calls. Clones are the same budget, which any number of clients and threads can share.
///
/// Before an attempt is sent, its maximum cost is reserved. That is the larger of [`Budget::max_usd_per_call`]
/// (default: 0.50 USD for each image) and the highest price of an equal call so far. If the reservation exceeds what
/// is left of the budget, the call fails with [`ErrorKind::BudgetExceeded`] and nothing is sent.
///
/// Afterwards the price that the server states replaces the reservation. If provably nothing was charged, the
/// reservation is released. If the attempt may have been charged, or no price was stated, the reservation counts as
/// spent until [`Client::reconcile`](crate::Client::reconcile) finds the price.
///
/// So the limit holds as long as no call costs more than its reservation. If one does, the result has a warning, a log
/// event is emitted, and the budget is closed: no further call is sent.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use gptimage_core::{Budget, Client, ErrorKind, GenerateRequest};
///
/// # let emulator = gptimage_emulator::Emulator::builder().start().await?;
/// let budget = Budget::new("0.60".parse()?);
/// # let builder = Client::builder().api_key(emulator.key()).base_url(emulator.base_url());
/// # let client = builder.budget(&budget).build()?;
/// # /*
/// let client = Client::builder().read_env().budget(&budget).build()?;
/// # */
/// let request = GenerateRequest::builder("A T-Rex").build()?;
/// client.generate(&request).send().await?;
/// println!("{} of {} USD", budget.status().spent_usd, budget.status().max_usd);
///
/// client.generate(&request).send().await?;
/// let refused = client.generate(&request).send().await.unwrap_err();
/// assert_eq!(refused.kind(), ErrorKind::BudgetExceeded);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Budget(Arc<Mutex<State>>);

/// The reservation for each image if no price is known, in cents.
const CENTS_PER_IMAGE: u64 = 50;

#[derive(Debug)]
struct State {
    max: Amount,
    per_call: Option<Amount>,
    /// The amount spent at prices that the server stated.
    stated: Amount,
    /// The reservations that count as spent, by client request id of the attempt.
    assumed: BTreeMap<String, (Amount, PriceKey)>,
    reserved: Amount,
    dearest: BTreeMap<PriceKey, Amount>,
    /// The client request id of the call that cost more than its reservation.
    closed_by: Option<String>,
}

/// The properties of a call that determine its price.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PriceKey {
    operation: &'static str,
    settings: Vec<(&'static str, String)>,
    n: u32,
}

impl PriceKey {
    pub(crate) fn of(request: &Request) -> Self {
        let parameters = request.parameters();
        let fields = parameters.fields().into_iter();
        let settings = fields.filter(|(name, _)| matches!(*name, "model" | "size" | "quality"));
        let settings = settings.map(|(name, value)| (name, value.to_string())).collect();
        Self { operation: request.operation().as_str(), settings, n: parameters.count() }
    }
}

/// The state of a [`Budget`], in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BudgetStatus {
    /// The limit.
    pub max_usd: Amount,
    /// The amount spent, including `assumed_usd`.
    pub spent_usd: Amount,
    /// The part of `spent_usd` that was not confirmed: reservations of attempts that may have been charged or had no
    /// stated price.
    pub assumed_usd: Amount,
    /// The amount reserved for attempts in flight.
    pub reserved_usd: Amount,
    /// The amount left for further calls. Zero if the budget is closed.
    pub remaining_usd: Amount,
    /// Whether the budget is closed, because a call cost more than its reservation.
    pub closed: bool,
}

impl Budget {
    /// Creates a budget of `max_usd` US dollars.
    #[must_use]
    pub fn new(max_usd: Amount) -> Self {
        Self(Arc::new(Mutex::new(State {
            max: max_usd,
            per_call: None,
            stated: Amount::ZERO,
            assumed: BTreeMap::new(),
            reserved: Amount::ZERO,
            dearest: BTreeMap::new(),
            closed_by: None,
        })))
    }

    /// Creates a budget from amounts in text, for languages without [`Amount`].
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if a text is not an amount.
    #[doc(hidden)]
    pub fn parse(max_usd: &str, max_usd_per_call: Option<&str>) -> Result<Self, Error> {
        let amount = |name: &str, given: &str| {
            given.trim().parse::<Amount>().map_err(|error| Error::config(format!("{name}: {error}; write it as 12.50")))
        };
        let budget = Self::new(amount("max_usd", max_usd)?);
        match max_usd_per_call {
            Some(given) => Ok(budget.max_usd_per_call(amount("max_usd_per_call", given)?)),
            None => Ok(budget),
        }
    }

    /// Sets the maximum cost of one call with all of its images, in US dollars. Default: 0.50 USD for each image.
    #[must_use]
    pub fn max_usd_per_call(self, usd: Amount) -> Self {
        self.lock().per_call = Some(usd);
        self
    }

    /// Returns spent, reserved and remaining USD.
    pub fn status(&self) -> BudgetStatus {
        let state = self.lock();
        let closed = state.closed_by.is_some();
        BudgetStatus {
            max_usd: state.max,
            spent_usd: state.spent(),
            assumed_usd: state.assumed(),
            reserved_usd: state.reserved,
            remaining_usd: if closed { Amount::ZERO } else { state.remaining() },
            closed,
        }
    }

    /// Returns whether both are the same budget.
    #[doc(hidden)]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves the maximum cost of an attempt.
    pub(crate) fn reserve(&self, price_key: &PriceKey, attempt: &Arc<AttemptState>) -> Result<Reservation, Error> {
        let mut state = self.lock();
        let needed = state.needed(price_key);
        if let Some(id) = &state.closed_by {
            return Err(Error::new(
                ErrorKind::BudgetExceeded,
                format!(
                    "the budget is closed, for call {id} cost more than one call may; nothing was sent: make a new budget"
                ),
            ));
        }
        if needed > state.remaining() {
            let State { max, reserved, .. } = &*state;
            return Err(Error::new(
                ErrorKind::BudgetExceeded,
                format!(
                    "the call may cost {needed} USD, and of the budget of {max} USD {} are spent and {reserved} reserved for \
                     calls on their way; nothing was sent: raise max_usd, or lower max_usd_per_call if calls are cheaper",
                    state.spent()
                ),
            ));
        }
        state.reserved = state.reserved.saturating_add(needed);
        Ok(Reservation {
            budget: self.clone(),
            usd: needed,
            price_key: price_key.clone(),
            attempt: attempt.clone(),
            open: true,
        })
    }

    /// Records the reconciled charge of an attempt that may have been charged.
    pub(crate) fn reconciled(&self, id: &str, charge: Charge, cost: Option<Cost>) {
        let mut state = self.lock();
        let usd = cost.and_then(Cost::in_usd);
        match (charge, usd) {
            (Charge::NotCharged, _) => drop(state.assumed.remove(id)),
            (Charge::Charged, Some(usd)) => {
                if let Some((reserved, price_key)) = state.assumed.remove(id) {
                    state.paid(id, usd, reserved, &price_key);
                }
            }
            (Charge::Charged, None) | (Charge::Unknown, _) => {}
        }
    }
}

impl State {
    fn assumed(&self) -> Amount {
        self.assumed.values().fold(Amount::ZERO, |sum, (usd, _)| sum.saturating_add(*usd))
    }

    fn spent(&self) -> Amount {
        self.stated.saturating_add(self.assumed())
    }

    fn remaining(&self) -> Amount {
        self.max.saturating_sub(self.spent().saturating_add(self.reserved))
    }

    fn needed(&self, price_key: &PriceKey) -> Amount {
        let usual =
            self.per_call.unwrap_or_else(|| Amount::cents(CENTS_PER_IMAGE.saturating_mul(u64::from(price_key.n))));
        self.dearest.get(price_key).map_or(usual, |dearest| usual.max(*dearest))
    }

    /// Records a price. Returns whether it is above the reservation.
    fn paid(&mut self, id: &str, usd: Amount, reserved: Amount, price_key: &PriceKey) -> bool {
        self.stated = self.stated.saturating_add(usd);
        let dearest = self.dearest.entry(price_key.clone()).or_default();
        *dearest = usd.max(*dearest);
        let overrun = usd > reserved;
        if overrun {
            tracing::warn!(client_request_id = id, %usd, %reserved, "a call cost more than was reserved: the budget is closed");
            self.closed_by.get_or_insert_with(|| id.to_owned());
        }
        overrun
    }
}

/// The part of a budget that is reserved for one attempt. If dropped without a commit, it is released if nothing can
/// have been charged, and otherwise counts as spent.
pub(crate) struct Reservation {
    budget: Budget,
    usd: Amount,
    price_key: PriceKey,
    attempt: Arc<AttemptState>,
    open: bool,
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reservation({} USD)", self.usd)
    }
}

impl Reservation {
    /// Replaces the reservation by the attempt's cost. Returns the reserved amount if the attempt cost more.
    pub(crate) fn commit(mut self, record: &Attempt) -> Option<Amount> {
        self.end(record.charge, record.cost).then_some(self.usd)
    }

    fn end(&mut self, charge: Charge, cost: Option<Cost>) -> bool {
        self.open = false;
        let mut state = self.budget.lock();
        state.reserved = state.reserved.saturating_sub(self.usd);
        let id = self.attempt.client_request_id();
        match (charge, cost.and_then(Cost::in_usd)) {
            (Charge::NotCharged, _) => false,
            // If part of the price is unreadable, the readable part is only a minimum: it counts only if it exceeds the
            // reservation.
            (Charge::Charged, Some(usd)) if usd > self.usd || !self.attempt.price_is_unreadable() => {
                state.paid(id, usd, self.usd, &self.price_key)
            }
            (Charge::Charged | Charge::Unknown, _) => {
                state.assumed.insert(id.to_owned(), (self.usd, self.price_key.clone()));
                false
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.open {
            let paid = self.attempt.may_be_paid();
            self.end(if paid { Charge::Unknown } else { Charge::NotCharged }, None);
        }
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
