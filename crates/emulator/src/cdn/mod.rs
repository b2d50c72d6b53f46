//! The CDN: finished pictures on an origin of their own, without any credentials.

mod range;
mod site;
mod store;

pub(crate) use site::{CdnSite, Shelf, router};
pub(crate) use store::{CdnStore, StoredPicture};
