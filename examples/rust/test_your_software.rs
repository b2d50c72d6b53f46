//! How a program that makes pictures is tested without a key and without cost: on the emulator, with a fault.
#![allow(clippy::print_stdout, reason = "an example shows what came of it")]

use gptimage_core::{Charge, Client, ErrorKind, GenerateRequest};
use gptimage_emulator::{Billing, Cut, Emulator, Fault};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().billing(Billing::Pessimistic).start().await?;
    let client = Client::builder().api_key(emulator.key()).base_url(emulator.base_url()).build()?;
    let request = GenerateRequest::builder("A T-Rex relaxing on a beach").build()?;

    // The server works and charges, and its answer is lost: the worst that can happen.
    emulator.fault(Fault::cut_response(0, Cut::Rst));
    let Err(error) = client.generate(&request).send().await else { return Err("the answer was cut".into()) };
    emulator.wait_idle().await;
    assert_eq!((error.kind(), error.charge()), (ErrorKind::OutcomeUnknown, Charge::Unknown));
    assert_eq!(emulator.charges(), 1, "it was paid once, and not a second time");
    println!("{error}");
    Ok(())
}
