//! The settings that can be changed while an emulator runs.

use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ParseError;
use crate::duration::DurationText;
use crate::fault::ErrorForm;
use crate::latency::Latency;
use crate::sync::lock;

/// The settings, by the names that they have in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// How long a call takes. Default: no time.
    pub(crate) latency: Option<Latency>,
    /// How long after its answer a call appears in `/v2/logs`. Default: at once.
    pub(crate) log_lag: DurationText,
    /// How long a picture's URL works. Default: for ever.
    pub(crate) url_expiry: Option<DurationText>,
    /// The body of the emulator's own refusals.
    pub(crate) error_form: ErrorForm,
    /// Whether answers state their price in headers, too. Default: true.
    pub(crate) price_headers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency: None,
            log_lag: DurationText::default(),
            url_expiry: None,
            error_form: ErrorForm::default(),
            price_headers: true,
        }
    }
}

impl Settings {
    /// Returns the settings with `changes` applied.
    pub(crate) fn changed(self, changes: Map<String, Value>) -> Result<Self, ParseError> {
        // One struct is the whole schema: what is not named is laid under it.
        let mut merged = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(merged) = &mut merged {
            merged.extend(changes);
        }
        serde_path_to_error::deserialize(merged).map_err(|error| ParseError::at("", &error))
    }
}

/// Settings that requests read and the control changes.
#[derive(Debug)]
pub(crate) struct SharedSettings {
    current: Mutex<Settings>,
}

impl SharedSettings {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { current: Mutex::new(settings) }
    }

    pub(crate) fn get(&self) -> Settings {
        *lock(&self.current)
    }

    pub(crate) fn url_expiry(&self) -> Option<Duration> {
        self.get().url_expiry.map(|expiry| expiry.0)
    }

    /// Changes what `changes` names and leaves the rest, or changes nothing.
    pub(crate) fn change(&self, changes: Map<String, Value>) -> Result<Settings, ParseError> {
        let mut current = lock(&self.current);
        *current = current.changed(changes)?;
        Ok(*current)
    }
}
