//! One order, carried out.

use gptimage_core::{
    Client, Config, EditRequest, Error, GenerateRequest, Generated, ImageInput, Location, Operation, SaveTo,
};
use gptimage_emulator::Emulator;
use serde_json::Value;

use crate::args::Order;

/// What came of an order.
pub(crate) enum Outcome {
    Made(Box<Generated>),
    /// The text of a dry run.
    Described(String),
    Failed {
        error: Box<Error>,
        /// Where pictures were put that the error held in memory.
        rescued: Vec<std::path::PathBuf>,
    },
    /// The emulator cannot start.
    NoEmulator(String),
}

/// Carries an order out.
pub(crate) async fn make(order: Order) -> Outcome {
    let emulator = if order.emulator && !order.dry_run {
        match Emulator::builder().start().await {
            Ok(emulator) => Some(emulator),
            Err(error) => return Outcome::NoEmulator(error.to_string()),
        }
    } else {
        None
    };
    match send(&order, emulator.as_ref()).await {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Failed { rescued: rescue(&error), error: Box::new(error) },
    }
}

async fn send(order: &Order, emulator: Option<&Emulator>) -> Result<Outcome, Error> {
    let (generate, edit) = build(order)?;
    let client = Client::new(config(order, emulator))?;
    let call = match (&generate, &edit) {
        (Some(request), _) => client.generate(request),
        (None, Some(request)) => client.edit(request),
        (None, None) => return Ok(Outcome::Described(String::new())),
    };
    // Without an output, pictures get names of their own in this folder.
    let output = order.output.clone().unwrap_or_else(|| "./".into());
    let call = call.save_to(SaveTo::from(output).overwrite(order.overwrite)).deadline(order.deadline);
    if order.dry_run {
        return call.dry_run().map(Outcome::Described);
    }
    Ok(Outcome::Made(Box::new(call.await?)))
}

/// The request of the one operation that was asked for.
fn build(order: &Order) -> Result<(Option<GenerateRequest>, Option<EditRequest>), Error> {
    // A number, true, null, a list or an object is what it looks like; anything else is text.
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    match order.operation {
        Operation::Edit => {
            let images = order.images.iter().map(ImageInput::from);
            let mut builder = EditRequest::builder(&order.prompt, images).structural_rules(order.structural_rules);
            for (name, text) in &order.parameters {
                builder = builder.set(name, text);
            }
            for (name, text) in &order.extra {
                builder = builder.extra(name, value(text));
            }
            if let Some(mask) = &order.mask {
                builder = builder.mask(mask);
            }
            Ok((None, Some(builder.build()?)))
        }
        _ => {
            let mut builder = GenerateRequest::builder(&order.prompt).structural_rules(order.structural_rules);
            for (name, text) in &order.parameters {
                builder = builder.set(name, text);
            }
            for (name, text) in &order.extra {
                builder = builder.extra(name, value(text));
            }
            Ok((Some(builder.build()?), None))
        }
    }
}

fn config(order: &Order, emulator: Option<&Emulator>) -> Config {
    let mut config = match emulator {
        Some(emulator) => Config::new().api_key(emulator.key()).base_url(emulator.base_url()),
        // A dry run shows no key, so none is asked for.
        None if order.dry_run => Config::from_env().api_key("not-sent"),
        None => Config::from_env(),
    };
    if let Some(url) = &order.base_url {
        config = config.base_url(url);
    }
    if let Some(path) = &order.ca_file {
        config = config.ca_file(path);
    }
    if let Some(url) = &order.proxy {
        config = config.proxy(url);
    }
    if let Some(attempts) = order.max_attempts {
        config = config.max_attempts(attempts);
    }
    config.allow_http(order.allow_http)
}

/// Saves pictures that are in memory only because their file could not be written: here, or where temporary files go.
fn rescue(error: &Error) -> Vec<std::path::PathBuf> {
    let images = error.generated().map(Generated::images).unwrap_or_default();
    let in_memory = images.iter().filter(|image| matches!(image.location(), Location::Memory(_)));
    in_memory.filter_map(|image| image.save("./").or_else(|_| image.save(std::env::temp_dir())).ok()).collect()
}
