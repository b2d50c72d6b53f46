//! The gpt-image-2 gateway on loopback: real sockets, real multipart, real pixels, money, a ledger and scripted
//! faults. It lets software that calls the API be tested for free, and shows afterwards what a real server would have
//! charged.
//!
//! ```
//! use gptimage_emulator::{Billing, Cut, Emulator, ErrorBody, Fault};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::builder().billing(Billing::Pessimistic).balance_usd("10").start().await?;
//! // The second paid call is answered by a proxy's page.
//! emulator.fault(Fault::answer(503).body(ErrorBody::Html).on_call(2));
//! // The third is worked on, but its answer is lost after 17 bytes.
//! emulator.fault(Fault::cut_response(17, Cut::Rst).on_call(3));
//!
//! // Any client will do; here is one written by hand.
//! let address = emulator.base_url().trim_start_matches("http://").trim_end_matches("/v1").to_owned();
//! let body = r#"{"model": "openai/gpt-image-2", "prompt": "A T-Rex relaxing on a beach"}"#;
//! for _ in 0..3 {
//!     let mut socket = tokio::net::TcpStream::connect(&address).await?;
//!     let request = format!(
//!         "POST /v1/images/generations HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
//!          content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
//!         emulator.key(),
//!         body.len()
//!     );
//!     socket.write_all(request.as_bytes()).await?;
//!     // The third ends in an error.
//!     let _ = socket.read_to_end(&mut Vec::new()).await;
//! }
//!
//! emulator.wait_idle().await;
//! let ledger = emulator.ledger();
//! assert!(ledger[0].delivered && ledger[0].status == Some(200));
//! assert!(ledger[1].delivered && ledger[1].status == Some(503));
//! assert!(ledger[2].arrived_whole && !ledger[2].delivered);
//! // Billed pessimistically, all three were charged.
//! assert_eq!(emulator.charges(), 3);
//! assert_eq!(emulator.balance(), "9.8389885");
//! # Ok(())
//! # }
//! ```
//!
//! # What it is
//!
//! - **The API**: `POST /v1/images/generations` (JSON), `POST /v1/images/edits` (multipart), `GET /v2/billing` and
//!   `GET /v2/logs`, with or without `/v1` and a slash at the end, strict about everything that the API is strict about. Every request is
//!   read to its end before it is answered, unless a fault says otherwise.
//! - **The CDN**: a second listener, another origin, with strong entity tags and ranges, where `url` results live.
//! - **Pictures**: drawn from the request alone, so that the same request gives the same bytes; the prompt's words are
//!   legible, the inputs of an edit are seen, and nobody takes them for the real thing.
//! - **Money**: whole credits, prices near the vendor's samples, a balance, two [billing models](Billing).
//! - **A ledger**: [`Emulator::ledger`] says of every paid POST whether it arrived whole, was worked on, charged and
//!   delivered. [`Emulator::wait_idle`] says when that is settled, without any sleeping.
//! - **[Faults](Fault)**: answers, early answers, delays, and cuts after any byte of a request or a response, as a FIN,
//!   a reset or silence. [Downloads](CdnFault) have faults too.
//! - **All of this over HTTP too**, at [`Emulator::control_url`], for tests in other languages; `gptimage emulator` starts
//!   one from a shell.
//!
//! It listens on 127.0.0.1 only, and has a socket of its own for whatever it is told to break: what the HTTP library
//! would never do to a connection is done below it.

mod activity;
mod api;
mod billing;
mod blocking;
mod builder;
mod cdn;
mod clock;
mod control;
mod duration;
mod emulator;
mod error;
mod fault;
mod http1;
mod ident;
mod idle;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod latency;
mod ledger;
mod money;
mod net;
mod parse_error;
mod picture;
mod route;
mod settings;
mod sync;

/// The page on the emulator: its Rust is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/emulator.md")]
struct Page;

pub use billing::Billing;
pub use builder::EmulatorBuilder;
pub use duration::parse_duration;
pub use emulator::Emulator;
pub use error::StartError;
pub use fault::{CdnFault, Cut, Early, ErrorBody, ErrorForm, Fault, Issue, PathItem};
pub use gptimage_model::Operation;
pub use latency::Latency;
pub use ledger::{LedgerEntry, RecordedRequest, Side};
pub use money::Price;
pub use parse_error::ParseError;
