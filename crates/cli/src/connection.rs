//! How to reach the API: flags that several verbs share.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use gptimage_core::{Client, Config};

use crate::report;

/// The flags.
pub(crate) fn flags() -> [Arg; 4] {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).help_heading("Connection")
    };
    [
        option("base-url", "URL", "Where the API is; one that ends in # is taken exactly as it is"),
        Arg::new("allow-http")
            .long("allow-http")
            .action(ArgAction::SetTrue)
            .help("Allow a base URL on another machine without encryption")
            .help_heading("Connection"),
        option("ca-file", "FILE", "Certificates (PEM, DER or a folder) to trust beside the system's")
            .value_parser(value_parser!(PathBuf)),
        option(
            "proxy",
            "URL",
            "A proxy for every request, http:// or socks5h://host:port; else HTTPS_PROXY and its like decide",
        ),
    ]
}

/// The environment's configuration, with what the flags say instead.
pub(crate) fn config(matches: &ArgMatches) -> Config {
    let mut config = Config::from_env().allow_http(matches.get_flag("allow-http"));
    if let Some(url) = matches.get_one::<String>("base-url") {
        config = config.base_url(url);
    }
    if let Some(path) = matches.get_one::<PathBuf>("ca-file") {
        config = config.ca_file_from(path, "--ca-file");
    }
    if let Some(url) = matches.get_one::<String>("proxy") {
        config = config.proxy_from(url, "--proxy");
    }
    config
}

/// Says what people should know of how the configuration was read.
pub(crate) fn note(client: &Client) {
    for note in client.connection().notes {
        report::note(&format!("gptimage: note: {note}"));
    }
}
