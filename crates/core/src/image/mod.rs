//! Generated images, and the files that they are saved to.

mod access;
mod picture;
mod save;

pub(crate) use gptimage_model::image::{Verified, VerifyError, verify_bytes};
pub use picture::{Image, Location};
pub(crate) use save::{Target, TargetFile, WriteError, create_private_in, sync_folder};
