//! `gptimage fetch`: downloads an image that was already paid for.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use gptimage_core::binding::Environment;
use gptimage_core::{Image, SaveTo};

use crate::connection;
use crate::destination::Destination;
use crate::early_exit::EarlyExit;
use crate::report::CommandResult;
use crate::signals::{Signals, run_blocking};

const EXAMPLES: &str = "\
Examples:
  gptimage fetch https://cdn.aimlapi.com/generations/….png -o t-rex.png
  gptimage fetch \"$URL\"                          (a generated name in this folder)

Fetching is free. It needs no API key and sends none.";

/// The subcommand's arguments.
pub(crate) fn command() -> Command {
    Command::new("fetch")
        .about("Download an image from the URL that a call returned; a partial file is never left behind")
        .after_help(EXAMPLES)
        .arg(Arg::new("url").value_name("URL").required(true).help("URL of the image"))
        .arg(
            Arg::new("output").long("output").short('o').value_name("PATH").value_parser(value_parser!(PathBuf)).help(
                "Output file or folder, or - for standard output. Default: a generated name in the current folder",
            ),
        )
        .arg(
            Arg::new("overwrite")
                .long("overwrite")
                .action(ArgAction::SetTrue)
                .help("Replace the output file if it exists"),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object instead of the path"))
        .args(connection::flags())
}

/// Runs `fetch`; a signal ends it.
pub(crate) async fn fetch(matches: &ArgMatches, signals: &mut Signals) -> CommandResult {
    match signals.or(to_destination(matches)).await {
        Ok(outcome) => outcome.unwrap_or_else(CommandResult::from),
        Err(signal) => EarlyExit::Signal(signal).into(),
    }
}

async fn to_destination(matches: &ArgMatches) -> Result<CommandResult, EarlyExit> {
    let mut builder = connection::builder(matches);
    if Environment::snapshot().key.is_none() {
        // The key is never sent to the image's server.
        builder = builder.api_key("not-sent");
    }
    let image = Image::from_url(matches.get_one::<String>("url").cloned().unwrap_or_default());
    let destination = Destination::of(matches.get_one::<PathBuf>("output").map(PathBuf::as_path))?;
    if destination.is_stdout() && matches.get_flag("json") {
        return Err("a picture and --json both write to standard output; choose one".to_owned().into());
    }
    let client = builder.build()?;
    connection::print_notes(&client);
    let stream = match destination {
        Destination::Files(path) => {
            let target = SaveTo::from(path).overwrite(matches.get_flag("overwrite"));
            return Ok(CommandResult::Fetched(client.fetch_to(&image, target).await?));
        }
        Destination::Stream(stream) => stream,
    };
    stream.check_not_terminal()?;
    let named = stream.clone();
    let fault = || EarlyExit::Unusable("a bug in gptimage: a thread ended early".to_owned());
    let mut opened = run_blocking(move || named.open()).await.ok_or_else(fault)?.map_err(EarlyExit::Unusable)?;
    let image = client.fetch(&image).await?;
    let picture = image.clone();
    let write = move || opened.write(picture.bytes().map(AsRef::as_ref).unwrap_or_default());
    match run_blocking(write).await.ok_or_else(fault)? {
        Ok(()) => Ok(CommandResult::Fetched(image)),
        Err(error) => {
            let name = stream.name();
            Err(EarlyExit::Unusable(format!(
                "the picture cannot be written to {name}: {error}; it can be fetched again"
            )))
        }
    }
}
