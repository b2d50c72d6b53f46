//! The `gptimage` command as a library, so that every package that ships it ships the same one.
//!
//! Each verb has a file that holds its `command()` and what it does; `report` says what came of it.

mod completions;
mod connection;
mod deliver;
mod destination;
mod doctor;
mod emulator;
mod exit_code;
mod fetch;
mod hint;
mod interrupt;
mod live;
mod make;
mod order;
mod reconcile;
mod report;
mod signals;
mod stdin;
mod stdio;

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgMatches, Command};
use gptimage_core::{ErrorKind, Operation};

use crate::exit_code::exit_code;
use crate::hint::Hints;
use crate::order::Order;
use crate::report::{Outcome, Report};
use crate::signals::{Signals, aside};

#[cfg(unix)]
#[doc(hidden)]
pub use crate::stdio::look_at_stdout;

/// How long files that are being written may take to be finished or taken away at the end.
const SHUTDOWN: Duration = Duration::from_secs(1);

/// How long a report that a signal comes upon may take to its end: usually it is there at once, but nobody may be reading.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the command with its arguments, the program's name first. Reads stdin where told to, writes to stdout and stderr.
/// Gives the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    stdio::fill();
    let matches = match command().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => {
            let mistaken = error.use_stderr();
            // Help goes to stdout, mistakes to stderr; where those cannot be written, nobody listens.
            match stdio::unwritable().map_or_else(|| error.print(), Err) {
                Err(error) if !mistaken && error.kind() != std::io::ErrorKind::BrokenPipe => {
                    return report::unprinted(&error);
                }
                _ => {}
            }
            if mistaken && args.iter().any(|arg| arg == "--json") {
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
            network(verb, matches, Report { json, hints: Hints::of(matches) })
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
fn network(verb: &str, matches: &ArgMatches, mut report: Report) -> u8 {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = match builder.enable_all().thread_keep_alive(gptimage_core::FILE_THREAD_KEEP_ALIVE).build() {
        Ok(runtime) => runtime,
        Err(error) => return report::broken(&error),
    };
    let code = runtime.block_on(async {
        let mut signals = Signals::listen();
        let outcome = match verb {
            "fetch" => fetch::fetch(matches, &mut signals).await,
            "reconcile" => reconcile::reconcile(matches, &mut signals).await,
            "doctor" => match signals.or(doctor::diagnose(matches)).await {
                Ok(diagnosis) => Outcome::Diagnosed(diagnosis),
                Err(signal) => Outcome::Interrupted { signal, ids: Vec::new() },
            },
            "edit" => make::make(Order::read(Operation::Edit, matches), &mut signals, &mut report.hints).await,
            _ => make::make(Order::read(Operation::Generate, matches), &mut signals, &mut report.hints).await,
        };
        said(&mut signals, aside(move || report.outcome(outcome))).await
    });
    // Files that nobody will finish are taken away with their tasks.
    runtime.shutdown_timeout(SHUTDOWN);
    code
}

/// The exit code of a report, which a signal ends if nobody takes it.
async fn said(signals: &mut Signals, report: impl Future<Output = Option<u8>>) -> u8 {
    let mut report = std::pin::pin!(report);
    let code = match signals.or(&mut report).await {
        Ok(code) => code,
        Err(signal) => match tokio::time::timeout(LAST_WORDS, report).await {
            Ok(code) => code,
            Err(_) => return signal.exit_code(),
        },
    };
    code.unwrap_or_else(|| exit_code(ErrorKind::Internal))
}
