//! Both operations: a picture from words, then a picture from a picture.
#![allow(clippy::print_stdout, reason = "an example shows what came of it")]

use gptimage_core::{Client, EditRequest, Error, GenerateRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::from_env()?;
    let request = GenerateRequest::builder("A T-Rex relaxing on a beach").build()?;
    client.generate(&request).save_to("t-rex.png").send().await?;

    let request = EditRequest::builder("Put a crown on the T-Rex's head", ["t-rex.png"]).build()?;
    let generated = client.edit(&request).save_to("crowned.png").send().await?;
    println!("{:?}, {:?}", generated.images(), generated.cost());
    Ok(())
}
