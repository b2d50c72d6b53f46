//! A fault of calls or of downloads, read from JSON.

use serde_json::Value;

use super::{CdnFault, Fault, FaultQueue};
use crate::ParseError;

/// A fault, by what it applies to.
#[derive(Debug)]
pub(crate) enum AnyFault {
    Call(Fault),
    Cdn(CdnFault),
}

/// The JSON key that holds a fault of downloads.
const CDN: &str = "cdn";

impl AnyFault {
    /// Reads one fault or a list of faults. If one of them is invalid, none is returned.
    pub(crate) fn read(value: Value) -> Result<Vec<Self>, ParseError> {
        match value {
            Value::Array(faults) => {
                faults.into_iter().enumerate().map(|(index, fault)| read(&format!("[{index}]"), fault)).collect()
            }
            fault => Ok(vec![read("", fault)?]),
        }
    }

    /// Appends each fault to the queue it belongs to.
    pub(crate) fn push(faults: Vec<Self>, calls: &FaultQueue<Fault>, cdn: &FaultQueue<CdnFault>) {
        for fault in faults {
            match fault {
                Self::Call(fault) => calls.push(fault),
                Self::Cdn(fault) => cdn.push(fault),
            }
        }
    }
}

fn read(place: &str, mut fault: Value) -> Result<AnyFault, ParseError> {
    let field = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    let Some(object) = fault.as_object_mut() else {
        return Err(ParseError::new(if place.is_empty() { "body" } else { place }, "a fault is a JSON object"));
    };
    let Some(cdn) = object.remove(CDN) else {
        let read = serde_path_to_error::deserialize(fault);
        return read.map(AnyFault::Call).map_err(|error| ParseError::at(place, &error));
    };
    if let Some(other) = object.keys().next() {
        return Err(ParseError::new(field(other), format!("stands beside `{CDN}`: write it into it")));
    }
    let read = serde_path_to_error::deserialize(cdn);
    read.map(AnyFault::Cdn).map_err(|error| ParseError::at(&field(CDN), &error))
}
