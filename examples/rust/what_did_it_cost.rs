//! Every outcome says what it cost. Here is what each of the three answers means for a program.
#![allow(clippy::print_stdout, reason = "an example shows what came of it")]

use std::time::Duration;

use gptimage_core::{Charge, Client, Error, GenerateRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let client = Client::from_env()?;
    let request = GenerateRequest::builder("A lighthouse in a storm").build()?;
    match client.generate(&request).deadline(Duration::from_secs(300)).send().await {
        Ok(generated) => println!("paid {:?} for {:?}", generated.cost(), generated.images()),
        Err(error) => {
            match error.charge() {
                Charge::NotCharged => println!("nothing was spent, it may be tried again: {error}"),
                Charge::Unknown => {
                    let ids: Vec<_> = error.attempts().iter().map(|attempt| &attempt.client_request_id).collect();
                    println!("look up {ids:?} before trying again: {error}");
                }
                // A charge may come with pictures, or with the links to them.
                _ => println!("paid, and this is what there is: {:?}: {error}", error.generated()),
            }
            // What goes on after a deadline is not lost either.
            client.drain().await;
            println!("collected later: {:?}", client.collect());
        }
    }
    Ok(())
}
