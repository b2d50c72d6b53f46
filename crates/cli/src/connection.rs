//! Connection flags, shared by several subcommands.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use gptimage_core::{Client, ClientBuilder};

use crate::print;

/// The connection flags.
pub(crate) fn flags() -> [Arg; 4] {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).help_heading("Connection")
    };
    [
        option("base-url", "URL", "Base URL of the API. \"/v1\" is added unless the URL ends in #"),
        Arg::new("allow-http")
            .long("allow-http")
            .action(ArgAction::SetTrue)
            .help("Allow an unencrypted http:// base URL on another machine")
            .help_heading("Connection"),
        option("ca-file", "FILE", "Trust these certificates as well as the system's: a PEM or DER file, or a folder")
            .value_parser(value_parser!(PathBuf)),
        option(
            "proxy",
            "URL",
            "Proxy for all requests, as http://host:port or socks5h://host:port. Default: from HTTPS_PROXY, ALL_PROXY and NO_PROXY",
        ),
    ]
}

/// A builder with the configuration of the environment and the flags.
pub(crate) fn builder(matches: &ArgMatches) -> ClientBuilder<Client> {
    let mut builder = Client::builder().read_env().allow_http(matches.get_flag("allow-http"));
    if let Some(url) = matches.get_one::<String>("base-url") {
        builder = builder.base_url(url);
    }
    if let Some(path) = matches.get_one::<PathBuf>("ca-file") {
        builder = builder.ca_file_from(path, "--ca-file");
    }
    if let Some(url) = matches.get_one::<String>("proxy") {
        builder = builder.proxy_from(url, "--proxy");
    }
    builder
}

/// Prints the client's notes on how its configuration was read.
pub(crate) fn print_notes(client: &Client) {
    for note in client.connection().notes {
        print::to_stderr(format_args!("gptimage: note: {note}"));
    }
}
