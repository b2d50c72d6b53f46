//! The CDN: serves finished images on an origin of its own, without credentials.

mod range;
mod site;
mod store;

pub(crate) use site::{CdnSite, Shelf, router};
pub(crate) use store::{CdnStore, StoredPicture};
