//! The `gptimage` command as a library, so that every package that ships it ships the same one.
//!
//! Each verb has a file that holds its `command()` and what it does; `report` says what came of it.

mod completions;
mod connection;
mod doctor;
mod emulator;
mod fetch;
mod live;
mod make;
mod order;
mod reconcile;
mod report;
mod stdin;

use std::ffi::OsString;

use clap::{ArgMatches, Command};
use gptimage_core::Operation;

use crate::order::Order;
use crate::report::Report;

/// Runs the command with its arguments, the program's name first. Reads stdin where told to, writes to stdout and stderr.
/// Gives the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    let matches = match command().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => {
            // Help goes to stdout, mistakes to stderr; if neither can be written, nobody listens.
            let _ = error.print();
            if error.use_stderr() && args.iter().any(|arg| arg == "--json") {
                report::usage(&error.to_string());
            }
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    match matches.subcommand() {
        Some(("completions", matches)) => report::text(&completions::script(matches, command())),
        Some(("emulator", matches)) => emulator::run(matches),
        Some((verb, matches)) => {
            let json = matches.try_get_one::<bool>("json").ok().flatten().is_some_and(|json| *json);
            network(verb, matches, &Report { json })
        }
        None => 2,
    }
}

/// What [`run`] would begin with these arguments, in words, without beginning it: nothing is sent, started or read from
/// standard input. For fuzzing; no public interface.
#[doc(hidden)]
pub fn rehearse(args: impl IntoIterator<Item = OsString>) -> String {
    let matches = match command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return error.to_string(),
    };
    match matches.subcommand() {
        Some(("completions", matches)) => completions::script(matches, command()),
        Some(("emulator", matches)) => format!("{:?}", emulator::settings(matches)),
        Some(("generate", matches)) => make::rehearse(Order::read(Operation::Generate, matches)),
        Some(("edit", matches)) => make::rehearse(Order::read(Operation::Edit, matches)),
        Some((_, matches)) => format!("{:?}", connection::config(matches)),
        None => String::new(),
    }
}

/// The whole command line.
fn command() -> Command {
    Command::new("gptimage")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Makes and edits images with gpt-image-2: checked before money is spent, never paid twice, never lost")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(format!(
            "The API key is read from the first of {} that is set.\nWritten paths go to stdout, one a line; all else to \
             stderr.\n\nExamples:\n  gptimage generate \"A T-Rex relaxing on a beach\" -o t-rex.png\n  gptimage edit \"Put \
             a crown on its head\" --image t-rex.png -o crowned.png\n  gptimage doctor",
            gptimage_core::KEY_VARIABLES.join(", ")
        ))
        .subcommand(order::generate())
        .subcommand(order::edit())
        .subcommand(fetch::command())
        .subcommand(reconcile::command())
        .subcommand(doctor::command())
        .subcommand(emulator::command())
        .subcommand(completions::command())
}

/// Verbs that need the network. One thread: the calls of one command wait for the network, not for each other.
fn network(verb: &str, matches: &ArgMatches, report: &Report) -> u8 {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report::broken(&error),
    };
    let code = runtime.block_on(async {
        match verb {
            "fetch" => report.fetched(fetch::fetch(matches).await),
            "reconcile" => report.reconciled(reconcile::reconcile(matches).await),
            "doctor" => report.diagnosed(&doctor::diagnose(matches).await),
            "edit" => report.outcome(make::make(Order::read(Operation::Edit, matches)).await),
            _ => report.outcome(make::make(Order::read(Operation::Generate, matches)).await),
        }
    });
    runtime.shutdown_background();
    code
}
