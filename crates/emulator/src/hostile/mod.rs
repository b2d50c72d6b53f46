//! A server that does to its clients what [scripts](Script) say, byte by byte, over TCP or TLS, and keeps the same truth
//! as the [`Emulator`](crate::Emulator): what arrived whole, was worked on, charged and delivered.
//!
//! Each connection plays the next script; when none is left, it is answered as it should be. The same scripts play the
//! same way every time, so a script that broke something is printed, and played again.
//!
//! ```
//! use gptimage_emulator::hostile::HostileServer;
//! use gptimage_emulator::{Billing, Side};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = HostileServer::builder().billing(Billing::Pessimistic).start().await?;
//! server.script(Side::Api, "read whole; send image ..17; cut rst".parse()?);
//! // … the software under test calls `server.base_url()`; this stands for it:
//! let address = server.base_url().trim_start_matches("http://").trim_end_matches("/v1").to_owned();
//! let mut socket = tokio::net::TcpStream::connect(address).await?;
//! let request = "POST /v1/images/generations HTTP/1.1\r\nauthorization: Bearer x\r\ncontent-length: 2\r\n\r\n{}";
//! socket.write_all(request.as_bytes()).await?;
//! let mut answer = Vec::new();
//! assert!(socket.read_to_end(&mut answer).await.is_err());
//! assert_eq!(answer, b"HTTP/1.1 200 OK\r\n");
//!
//! server.wait_idle().await;
//! let [entry] = &server.ledger()[..] else { panic!("one call") };
//! assert!(entry.arrived_whole && entry.charge.is_some() && !entry.delivered);
//! # Ok(()) }
//! ```

mod answer;
mod authority;
mod channel;
mod desk;
mod form;
mod play;
mod server;
mod step;
mod text;

pub use authority::Authority;
pub use form::Form;
pub use server::{HostileBuilder, HostileServer};
pub use step::{Script, Source, Step, Until};
