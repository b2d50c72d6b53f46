//! The `gptimage` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    gptimage_cli::run(std::env::args_os()).into()
}
