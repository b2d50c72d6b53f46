//! The data that all attempts of a call share.

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

/// A call: its request, the destination of its images, and its limits.
#[derive(Debug)]
pub(crate) struct CallContext {
    pub(crate) settings: Arc<Settings>,
    pub(crate) write_limiter: Arc<WriteLimiter>,
    pub(crate) url: Url,
    pub(crate) body: Body,
    pub(crate) request: Request,
    /// Number of images requested.
    pub(crate) asked: u32,
    /// The target that images are saved to. `None` means memory.
    pub(crate) target: Option<Arc<Target>>,
    pub(crate) max_attempts: u32,
    /// Whether linked images are downloaded.
    pub(crate) fetch: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancel: Option<CancelToken>,
    pub(crate) observer: Option<Observer>,
    /// The budget of the call, and the properties that determine its price.
    pub(crate) budget: Option<(Budget, PriceKey)>,
}
