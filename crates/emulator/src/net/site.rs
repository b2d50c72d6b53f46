//! What a listener asks of whatever is served behind it.

use hyper::Uri;

use super::exchange::Plan;
use crate::http1::RequestHead;

/// What is served behind a listener.
pub(crate) trait Site: std::fmt::Debug + Send + Sync + 'static {
    /// A connection was accepted.
    fn connected(&self) {}

    /// Decides about a request whose head has arrived.
    fn plan(&self, head: &RequestHead) -> Plan;

    /// Where a request goes if not to the address that it names.
    fn rewritten(&self, _uri: &Uri) -> Option<Uri> {
        None
    }

    /// A connection ended before its request's head was whole.
    fn died_in_head(&self, _head: &RequestHead) {}
}
