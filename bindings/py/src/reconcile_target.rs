//! Attempts to look up in the vendor's usage log.

use gptimage_core::{Charge, Cost};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// An attempt from Python: its id, its known charge, its price in dollars and credits, and the vendor's id of the inference.
#[derive(FromPyObject)]
pub(crate) struct ReconcileTarget(String, Option<String>, Option<String>, Option<String>, Option<String>);

impl ReconcileTarget {
    pub(crate) fn core(self, _attached: Python<'_>) -> PyResult<gptimage_core::ReconcileTarget> {
        let Self(id, charge, usd, credits, inference_id) = self;
        let amount = |text: Option<String>| text.map(|text| text.parse()).transpose();
        let wrong = |error: gptimage_core::ParseAmountError| PyValueError::new_err(error.to_string());
        let mut cost = Cost::default();
        (cost.usd, cost.credits) = (amount(usd).map_err(wrong)?, amount(credits).map_err(wrong)?);
        let charges = [Charge::NotCharged, Charge::Unknown, Charge::Charged];
        let charge = charges.into_iter().find(|known| charge.as_deref() == Some(known.as_str()));
        let stated = (cost.usd.is_some() || cost.credits.is_some()).then_some(cost);
        Ok(gptimage_core::ReconcileTarget::from(id)
            .known(charge.unwrap_or(Charge::Unknown), stated)
            .inference_id(inference_id))
    }
}
