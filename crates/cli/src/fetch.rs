//! `gptimage fetch`: a picture that was paid for, once more.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use gptimage_core::{Client, Environment, Error, Image, SaveTo};

use crate::connection;

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
                .help("File or folder; unless given, a name of its own in this folder"),
        )
        .arg(Arg::new("overwrite").long("overwrite").action(ArgAction::SetTrue).help("Replace the file if it exists"))
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object instead of the path"))
        .args(connection::flags())
}

/// Fetches.
pub(crate) async fn fetch(matches: &ArgMatches) -> Result<Image, Error> {
    let mut config = connection::config(matches);
    if Environment::look().key.is_none() {
        // The key is never sent to where pictures are.
        config = config.api_key("not-sent");
    }
    let client = Client::new(config)?;
    connection::note(&client);
    let url = matches.get_one::<String>("url").cloned().unwrap_or_default();
    let output = matches.get_one::<PathBuf>("output").cloned().unwrap_or_else(|| "./".into());
    let target = SaveTo::from(output).overwrite(matches.get_flag("overwrite"));
    client.fetch_to(&Image::from_url(url), target).await
}
