//! The state that the control's routes share.

use std::sync::Arc;

use crate::CdnFault;
use crate::api::Gateway;
use crate::fault::FaultQueue;
use crate::idle::Idle;

/// The parts of the emulator that the control can reach.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) cdn_faults: Arc<FaultQueue<CdnFault>>,
    pub(crate) idle: Arc<Idle>,
    /// The API's origin, without a trailing slash.
    pub(crate) origin: String,
}
