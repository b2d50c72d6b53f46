//! What the control's routes share.

use std::sync::Arc;

use crate::CdnFault;
use crate::api::Gateway;
use crate::fault::FaultQueue;
use crate::idle::Idle;

/// What the control can reach.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) cdn_faults: Arc<FaultQueue<CdnFault>>,
    pub(crate) idle: Arc<Idle>,
    /// Of the API, without a slash at the end.
    pub(crate) origin: String,
}
