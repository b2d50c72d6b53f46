//! Budgets, for `gptimage.Budget`.

use pyo3::prelude::*;

use crate::convert::to_python;
use crate::error::OrRaise;

/// The core of `gptimage.Budget`.
#[pyclass(frozen, module = "gptimage._core")]
pub(crate) struct Budget(gptimage_core::Budget);

impl Budget {
    pub(crate) fn core(&self) -> &gptimage_core::Budget {
        &self.0
    }
}

#[pymethods]
impl Budget {
    #[new]
    fn new(py: Python<'_>, max_usd: &str, max_usd_per_call: Option<&str>) -> PyResult<Self> {
        gptimage_core::Budget::parse(max_usd, max_usd_per_call).map(Self).or_raise(py)
    }

    /// Returns the state as a dict.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.status())
    }
}
