//! The interface between a listener and the service behind it.

use hyper::Uri;

use super::exchange::Plan;
use crate::http1::RequestHead;

/// A service behind a listener.
pub(crate) trait Site: std::fmt::Debug + Send + Sync + 'static {
    /// Called when a connection was accepted.
    fn connected(&self) {}

    /// Plans a request whose head has arrived.
    fn plan(&self, head: &RequestHead) -> Plan;

    /// Returns the URI that a request is routed to, if it is not its own.
    fn rewritten(&self, _uri: &Uri) -> Option<Uri> {
        None
    }

    /// Called when a connection ended before its request's head was complete.
    fn died_in_head(&self, _head: &RequestHead) {}
}
