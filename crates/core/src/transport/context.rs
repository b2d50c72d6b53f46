//! What all attempts of a call share.

use std::sync::Arc;

use tokio::time::Instant;
use url::Url;

use super::write_limiter::WriteLimiter;
use crate::budget::{Budget, PriceKey};
use crate::cancel::CancelToken;
use crate::config::Settings;
use crate::image::Target;
use crate::progress::Observer;
use crate::request::Request;
use crate::wire::Body;

/// One call: its request, where its pictures go, and its limits.
#[derive(Debug)]
pub(crate) struct CallContext {
    pub(crate) settings: Arc<Settings>,
    pub(crate) write_limiter: Arc<WriteLimiter>,
    pub(crate) url: Url,
    pub(crate) body: Body,
    pub(crate) request: Request,
    /// How many pictures are asked for.
    pub(crate) asked: u32,
    /// Where pictures are saved; `None`: in memory.
    pub(crate) target: Option<Arc<Target>>,
    pub(crate) max_attempts: u32,
    /// Whether pictures that come as links are downloaded.
    pub(crate) fetch: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) observer: Option<Observer>,
    /// The budget that the call counts against, and which calls should cost the same.
    pub(crate) budget: Option<(Budget, PriceKey)>,
}
