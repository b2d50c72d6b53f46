//! `gptimage completions`: shell completion scripts.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  gptimage completions bash > ~/.local/share/bash-completion/completions/gptimage
  gptimage completions zsh > ~/.zfunc/_gptimage
  gptimage completions fish > ~/.config/fish/completions/gptimage.fish";

/// The subcommand's arguments.
pub(crate) fn command() -> Command {
    Command::new("completions")
        .about("Print a shell completion script")
        .after_help(EXAMPLES)
        .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell)))
}

/// Generates the script for the requested shell.
pub(crate) fn script(matches: &ArgMatches, mut command: Command) -> String {
    let mut script = Vec::new();
    if let Some(shell) = matches.get_one::<Shell>("shell") {
        clap_complete::generate(*shell, &mut command, "gptimage", &mut script);
    }
    String::from_utf8_lossy(&script).into_owned()
}
