//! The same without async, from several threads at once.
#![allow(clippy::print_stdout, reason = "an example shows what came of it")]

use gptimage_core::{Error, GenerateRequest, blocking::Client};

fn main() -> Result<(), Error> {
    let client = Client::from_env()?;
    let animals = ["a T-Rex", "a heron", "an otter"];
    std::thread::scope(|scope| {
        let calls = animals.map(|animal| {
            let client = &client;
            scope.spawn(move || {
                let request = GenerateRequest::builder(format!("{animal}, as a woodcut")).quality("low").build()?;
                client.generate(&request).save_to(format!("{animal}.png")).send()
            })
        });
        for call in calls {
            // A panic in a call is passed on as what it is.
            let generated = call.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            println!("{:?}", generated.images());
        }
        Ok(())
    })
}
