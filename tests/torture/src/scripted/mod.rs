//! A server that plays [scripts](Script), byte by byte, over TCP or TLS, and keeps the same ledger
//! as the [`Emulator`](gptimage_emulator::Emulator): what arrived whole, was worked on, charged and delivered.
//!
//! Each connection plays the next script; when none is left, it is answered as it should be. The same scripts play the
//! same way every time, so a script that broke something is printed, and played again.
//!
//! ```text
//! read 1000; cut rst                                  the request is cut after 1000 bytes, its head included
//! read head; send status 413 problem; read end        an answer while the upload still runs
//! read whole; send image ..200; pause 2s; cut silence half an answer, and then nothing more
//! read whole; send 'HTTP/1.1 200 OK\r\n'; repeat 'x: y\r\n'    a head without an end
//! handshake 300 fin                                   TLS ends after 300 bytes of the server's side
//! ```
//!
//! ```
//! use gptimage_torture::scripted::ScriptedServer;
//! use gptimage_emulator::{Billing, Side};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = ScriptedServer::builder().billing(Billing::Pessimistic).start().await?;
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
mod play;
mod script;
mod server;
mod shared;
mod success_form;
mod text;

pub use authority::Authority;
pub use script::{Script, Source, Step, Until};
pub use server::{ScriptedServer, ScriptedServerBuilder};
pub use success_form::SuccessForm;
pub use text::ParseScriptError;
