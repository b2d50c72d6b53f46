//! A client for making and editing images with **gpt-image-2** over the AI/ML API gateway. Requests are validated
//! before money is spent, no call is paid for twice, and no paid image is lost.
//!
//! A call costs money, takes about a minute and cannot be repeated safely, because the API has no idempotency key. So
//! this client retries only attempts that provably cost nothing (unless [`ClientBuilder::retry_server_errors`] is set),
//! and every result and error states what it cost.
//!
//! ```
//! use gptimage_core::{Client, EditRequest, GenerateRequest};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = gptimage_emulator::Emulator::builder().start().await?;
//! # let client = Client::builder().api_key(emulator.key()).base_url(emulator.base_url()).build()?;
//! # let folder = tempfile::tempdir()?;
//! # let (t_rex, crowned) = (folder.path().join("t-rex.png"), folder.path().join("crowned.png"));
//! # /*
//! let client = Client::from_env()?; // AIMLAPI_KEY, AIMLAPI_API_KEY or AIML_API_KEY
//! # */
//! let request = GenerateRequest::builder("A T-Rex relaxing on a beach").build()?;
//! client.generate(&request).save_to(&t_rex).send().await?;
//!
//! let request = EditRequest::builder("Put a crown on the T-Rex's head", [&t_rex]).build()?;
//! let generated = client.edit(&request).save_to(&crowned).send().await?;
//! println!("{:?}, {:?}", generated.images(), generated.cost());
//! # assert_eq!(generated.image().and_then(|image| image.path()), Some(crowned.as_path()));
//! # Ok(()) }
//! ```
//!
//! # Guarantees
//!
//! - **A request that was built is valid.** [`GenerateRequest`] and [`EditRequest`] are built from required arguments
//!   and setters. `build` reports every violated rule as data ([`Violation`]) before anything is sent. Masks are
//!   checked including their alpha channel.
//! - **Every result and error states its charge.** [`Error::charge`] is [`Charge::NotCharged`] only with proof: the
//!   server cannot have received a complete request, or it refused the request before any work. [`Error::attempts`] and
//!   [`Generated::attempts`] list every id that the server saw.
//! - **Paid images are not lost.** After a dropped future, a passed deadline or a full disk, the image is available
//!   from [`Client::collect`], from [`Error::generated`] or, while it is at its URL, from [`Client::fetch`].
//! - **An unknown charge can be looked up.** [`Client::reconcile`] reads the vendor's usage log for attempts that may
//!   have been charged. [`Client::pending`] lists calls in flight and results that wait to be collected.
//! - **Spending has a limit.** A [`Budget`] reserves what an attempt may cost before it is sent, and replaces the
//!   reservation with the price afterwards.
//! - **Memory use stays bounded.** Uploads stream from disk. Responses are decoded while they arrive and, with
//!   [`Call::save_to`], written to disk as they are decoded. A file appears under its final name when it is complete,
//!   or not at all.
//! - **The key is sent to one origin only.** Downloads use a separate HTTP client without it.
//!
//! # Structure of the crate
//!
//! - Requests: [`GenerateRequest`], [`EditRequest`] and their values, re-exported from [`gptimage_model`]. [`rules`]
//!   holds the limits and defaults of the model.
//! - Calls: [`Client`], configured by [`ClientBuilder`] and [`Timers`], prepares a [`Call`]; [`Call::send`] sends it.
//!   [`CancelToken`] and [`Progress`] control and observe it.
//! - Results: [`Generated`] with its [`Image`]s, or an [`Error`] with its [`ErrorKind`]. Both list their [`Attempt`]s.
//! - Money: [`Charge`], [`Cost`], [`Budget`], [`Balance`], and [`Reconcile`] for attempts with an unknown charge.
//! - `blocking`: the same client for code without async.
//!
//! # Features
//!
//! - `blocking`: the module `blocking`. Off by default.
//! - `internals`: for the fuzz targets of this repository only. It is not part of the public interface and may change
//!   at any time.
//!
//! # Threads and runtimes
//!
//! All types are `Send + Sync`, and cheap to clone where their documentation says so. [`Client`] works inside any tokio
//! runtime with time and I/O enabled. `blocking::Client` (feature `blocking`) runs its own thread. Building an
//! [`EditRequest`] and saving an [`Image`] block during file access.
//!
//! # Logs
//!
//! Events are emitted with `tracing`: attempts, pauses and ids. Prompts and images appear as sizes and hashes only;
//! keys never appear.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attempt;
mod attempt_state;
mod base_url;
#[cfg(feature = "blocking")]
pub mod blocking;
mod budget;
mod cancel;
mod charge;
mod client;
mod config;
mod error;
mod fingerprint;
mod generated;
mod image;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod no_proxy;
mod progress;
mod proxy;
mod random;
mod reconcile;
mod runtime;
mod salvage;
mod secret;
mod transport;
mod url_guard;
mod wire;

#[doc(hidden)]
pub use gptimage_model::printable;
#[doc(inline)]
pub use gptimage_model::{
    Amount, Background, EditRequest, EditRequestBuilder, GenerateRequest, GenerateRequestBuilder, ImageFormat,
    ImageInput, Integer, InvalidRequest, Mask, Model, Moderation, Operation, OutputFormat, PARAMETERS, ParameterInfo,
    ParseAmountError, PixelFormat, Quality, Request, RequestBuilder, ResponseFormat, Rule, SaveTo, Size, Violation,
    Warning, rules,
};
use gptimage_model::{amount, request, text, violation, warning};

pub use attempt::{Attempt, Phase};
pub use budget::{Budget, BudgetStatus};
pub use cancel::CancelToken;
pub use charge::{Charge, Cost};
pub use client::{Call, Client};
pub use config::{BASE_URL_VARIABLES, ClientBuilder, DEFAULT_BASE_URL, KEY_VARIABLES, Timers};
pub use error::{Error, ErrorKind};
pub use generated::Generated;
pub use image::{Image, Location};
pub use progress::Progress;
pub use reconcile::{Reconcile, ReconcileTarget, Reconciled};
pub use salvage::Pending;
pub use wire::Balance;

/// Items for the command and the bindings to other languages. Not part of the public interface; may change at any time.
#[doc(hidden)]
pub mod binding {
    pub use crate::client::{DetachedCall, InFlight};
    pub use crate::config::{Connection, Environment, seconds};
    pub use crate::runtime::FILE_THREAD_KEEP_ALIVE;
}

/// The README's programs, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
