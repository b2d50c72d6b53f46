//! How to reach the API: flags that several verbs share.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use gptimage_core::Config;

/// The flags.
pub(crate) fn flags() -> [Arg; 4] {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).help_heading("Connection")
    };
    [
        option("base-url", "URL", "Where the API is"),
        Arg::new("allow-http")
            .long("allow-http")
            .action(ArgAction::SetTrue)
            .help("Allow a base URL on another machine without encryption")
            .help_heading("Connection"),
        option("ca-file", "FILE", "Certificates in PEM form to trust beside the system's")
            .value_parser(value_parser!(PathBuf)),
        option("proxy", "URL", "A proxy; unless given, HTTPS_PROXY and its like decide"),
    ]
}

/// The environment's configuration, with what the flags say instead.
pub(crate) fn config(matches: &ArgMatches) -> Config {
    let mut config = Config::from_env().allow_http(matches.get_flag("allow-http"));
    if let Some(url) = matches.get_one::<String>("base-url") {
        config = config.base_url(url);
    }
    if let Some(path) = matches.get_one::<PathBuf>("ca-file") {
        config = config.ca_file(path);
    }
    if let Some(url) = matches.get_one::<String>("proxy") {
        config = config.proxy(url);
    }
    config
}
