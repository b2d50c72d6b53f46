//! The `gptimage` command as a library, so that every package that ships it ships the same one.
//!
//! The path of a command: `args` reads it, `make` runs it with gptimage-core, `report` says what came of it.

mod args;
mod make;
mod report;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::report::Report;

/// Runs the command with its arguments, the program's name first. Writes to stdout and stderr.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match args::command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => {
            // Help goes to stdout, mistakes to stderr; if neither can be written, nobody listens.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let Some((verb, matches)) = matches.subcommand() else { return ExitCode::from(2) };
    let order = args::Order::read(verb, matches);
    let report = Report { json: order.json };
    // One thread: the calls of one command wait for the network, not for each other.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report.broken(&error),
    };
    let outcome = runtime.block_on(make::make(order));
    runtime.shutdown_background();
    report.outcome(outcome)
}
