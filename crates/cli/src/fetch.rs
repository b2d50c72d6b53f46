//! `gptimage fetch`: a picture that was paid for, once more.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use gptimage_core::{Client, Environment, Image, SaveTo};

use crate::connection;
use crate::destination::Destination;
use crate::make::Stop;
use crate::report::Outcome;
use crate::signals::{Signals, aside};

const EXAMPLES: &str = "\
Examples:
  gptimage fetch https://cdn.aimlapi.com/generations/….png -o t-rex.png
  gptimage fetch \"$URL\"                          (a name of its own in this folder)

Fetching is free, needs no key, and sends none.";

/// `gptimage fetch`.
pub(crate) fn command() -> Command {
    Command::new("fetch")
        .about("Fetches a picture from the URL that a call returned, whole or not at all")
        .after_help(EXAMPLES)
        .arg(Arg::new("url").value_name("URL").required(true).help("The picture's URL"))
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("PATH")
                .value_parser(value_parser!(PathBuf))
                .help("File or folder; unless given, a name of its own in this folder; - writes to standard output"),
        )
        .arg(Arg::new("overwrite").long("overwrite").action(ArgAction::SetTrue).help("Replace the file if it exists"))
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object instead of the path"))
        .args(connection::flags())
}

/// Fetches, until a signal comes.
pub(crate) async fn fetch(matches: &ArgMatches, signals: &mut Signals) -> Outcome {
    match signals.or(to_destination(matches)).await {
        Ok(outcome) => outcome.unwrap_or_else(Outcome::from),
        Err(signal) => Stop::Signal(signal).into(),
    }
}

async fn to_destination(matches: &ArgMatches) -> Result<Outcome, Stop> {
    let mut config = connection::config(matches);
    if Environment::look().key.is_none() {
        // The key is never sent to where pictures are.
        config = config.api_key("not-sent");
    }
    let image = Image::from_url(matches.get_one::<String>("url").cloned().unwrap_or_default());
    let destination = Destination::of(matches.get_one::<PathBuf>("output").map(PathBuf::as_path))?;
    if destination.is_stdout() && matches.get_flag("json") {
        return Err("a picture and --json both write to standard output; choose one".to_owned().into());
    }
    let client = Client::new(config)?;
    connection::note(&client);
    let stream = match destination {
        Destination::Files(path) => {
            let target = SaveTo::from(path).overwrite(matches.get_flag("overwrite"));
            return Ok(Outcome::Fetched(client.fetch_to(&image, target).await?));
        }
        Destination::Stream(stream) => stream,
    };
    stream.judge()?;
    let named = stream.clone();
    let fault = || Stop::Unusable("a thread ended early: a fault of ours".to_owned());
    let mut opened = aside(move || named.open()).await.ok_or_else(fault)?.map_err(Stop::Unusable)?;
    let image = client.fetch(&image).await?;
    let picture = image.clone();
    let write = move || opened.write(picture.bytes().map(AsRef::as_ref).unwrap_or_default());
    match aside(write).await.ok_or_else(fault)? {
        Ok(()) => Ok(Outcome::Fetched(image)),
        Err(error) => {
            let name = stream.name();
            Err(Stop::Unusable(format!("the picture cannot be written to {name}: {error}; it can be fetched again")))
        }
    }
}
