//! Making and editing images with **gpt-image-2** over the AI/ML API gateway: checked before money is spent, never paid
//! twice, never lost.
//!
//! A call costs real money, takes about a minute and cannot be repeated safely: the API has no idempotency key. So this
//! client repeats only what provably cost nothing, and says of every outcome what it cost.
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
//! # What it keeps
//!
//! - **A request that exists is valid.** [`GenerateRequest`] and [`EditRequest`] are built from required arguments and
//!   setters; `build` names every broken rule at once, as data ([`Violation`]), before anything is sent. Masks are
//!   checked down to their alpha.
//! - **Every outcome says what it cost.** [`Error::charge`] is [`Charge::NotCharged`] only where that is proved: the
//!   server cannot have had a whole request, or refused it before any work. [`Error::attempts`] and
//!   [`Generated::attempts`] list every id that the server saw.
//! - **What was paid for is not lost.** A dropped future, a passed deadline, a full disk: the picture can be had from
//!   [`Client::collect`], [`Error::generated`] or, while it is still at its URL, [`Client::fetch`].
//! - **Doubt can be settled.** [`Client::reconcile`] asks the vendor's log what became of an attempt that may have been
//!   charged; [`Client::pending`] lists what is on its way or waits to be collected.
//! - **Spending has a limit.** A [`Budget`] reserves what a call may cost before it is sent, and settles it afterwards.
//! - **Memory stays flat.** Uploads stream from disk, answers are decoded while they arrive and, with
//!   [`Call::save_to`], written as they are decoded. A file has its final name once it is complete, or not at all.
//! - **The key goes to one origin.** Downloads use a client that has none.
//!
//! # Threads and runtimes
//!
//! Everything here is `Send + Sync` and cheap to clone where it says so. [`Client`] works inside any tokio runtime with
//! time and I/O enabled; `blocking::Client` (feature `blocking`) brings a thread of its own. Building an
//! [`EditRequest`] and saving an [`Image`] block while they touch files.
//!
//! # Logs
//!
//! Through `tracing`: attempts, waits and ids; prompts and pictures as sizes and hashes; never keys.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attempt;
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

#[doc(inline)]
pub use gptimage_model::{
    Amount, Background, EditRequest, EditRequestBuilder, GenerateRequest, GenerateRequestBuilder, ImageFormat,
    ImageInput, Integer, InvalidRequest, Mask, Model, Moderation, Operation, OutputFormat, PARAMETERS, ParameterInfo,
    ParseAmountError, PixelFormat, Quality, Request, RequestBuilder, ResponseFormat, Rule, SaveTo, Size, Violation,
    Warning, printable, rules,
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

/// What the command and the bindings to other languages need beside the public interface. Nothing here is promised.
#[doc(hidden)]
pub mod binding {
    pub use crate::client::{ExpectedOutcome, InFlight};
    pub use crate::config::{Connection, Environment, seconds};
    pub use crate::runtime::FILE_THREAD_KEEP_ALIVE;
}

/// The README's programs, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
