//! One call over the network: attempts, their phases, and what their ends mean.

mod attempt;
pub(crate) mod billing;
mod call;
mod content_encoding;
mod crowd;
mod deliver;
mod download;
mod exchange;
mod explain;
mod gate;
mod handoff;
mod http;
mod kept_answer;
mod landing;
pub(crate) mod lookup;
mod receive;
mod retry;
mod run_timer;
mod running;
mod tls;
mod upload;
mod url_guard;

pub(crate) use call::{Call, Plan, within_runtime};
pub(crate) use crowd::Crowd;
pub(crate) use deliver::download_one;
pub(crate) use http::Http;
pub(crate) use kept_answer::KeptAnswer;
#[cfg(feature = "internals")]
pub(crate) use retry::{parse_retry_after, wait};
pub(crate) use running::Running;
#[cfg(feature = "internals")]
pub(crate) use url_guard::is_public;
pub(crate) use url_guard::{DownloadGuard, is_loopback};
