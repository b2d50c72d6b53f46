//! The `gptimage` command as a library, shared by the binary and the Python package.
//!
//! Each subcommand has a file with its arguments and its work; `report` prints the result.

mod completions;
mod connection;
mod destination;
mod doctor;
mod duration;
mod early_exit;
mod emulator;
mod exit_code;
mod fetch;
mod hint;
mod interrupt;
mod print;
mod progress_line;
mod reconcile;
mod report;
mod request_args;
mod send;
mod signals;
mod stdin;
mod stdio;
mod write_images;

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgMatches, Command};
use gptimage_core::{ErrorKind, Operation};

use crate::hint::Hints;
use crate::report::{CommandResult, Report};
use crate::request_args::RequestArgs;
use crate::signals::{Signals, run_blocking};

#[doc(hidden)]
pub use crate::exit_code::exit_code;
#[cfg(unix)]
#[doc(hidden)]
pub use crate::stdio::record_closed_stdout;

/// Time limit at exit for finishing or removing files that are being written.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Time limit for printing the result after a signal: usually it takes no time, but the reader may be stuck.
const PRINT_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs the command and returns its exit code. `args` begins with the program's name. Reads standard input if an argument is
/// `-`; writes to standard output and standard error.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    stdio::fill_closed_descriptors();
    let matches = match command().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(error) => {
            let mistaken = error.use_stderr();
            // Help goes to stdout, mistakes to stderr. A failure to write to stderr cannot be reported.
            match stdio::stdout_error().map_or_else(|| error.print(), Err) {
                Err(error) if !mistaken && error.kind() != std::io::ErrorKind::BrokenPipe => {
                    return print::stdout_failed(&error);
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
        Some(("completions", matches)) => print::text(&completions::script(matches, command())),
        Some(("emulator", matches)) => emulator::run(matches),
        Some((subcommand, matches)) => {
            let json = matches.try_get_one::<bool>("json").ok().flatten().is_some_and(|json| *json);
            network(subcommand, matches, Report { json, hints: Hints::of(matches) })
        }
        None => 2,
    }
}

/// Describes what [`run`] would do with these arguments. Sends nothing, starts nothing and does not read standard input.
/// For fuzzing; not a public interface.
#[doc(hidden)]
pub fn preview(args: impl IntoIterator<Item = OsString>) -> String {
    let matches = match command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return error.to_string(),
    };
    match matches.subcommand() {
        Some(("completions", matches)) => completions::script(matches, command()),
        Some(("emulator", matches)) => format!("{:?}", emulator::settings(matches)),
        Some(("generate", matches)) => send::preview(RequestArgs::read(Operation::Generate, matches)),
        Some(("edit", matches)) => send::preview(RequestArgs::read(Operation::Edit, matches)),
        Some((_, matches)) => format!("{:?}", connection::builder(matches)),
        None => String::new(),
    }
}

/// The command line's grammar. For the check that compares it with core; not a public interface.
#[doc(hidden)]
pub fn command() -> Command {
    Command::new("gptimage")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Make and edit images with gpt-image-2: validated before money is spent, never charged twice, never lost")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(format!(
            "The API key is read from the first of {} that is set.\nThe paths of written files go to stdout, one per line; \
             everything else goes to stderr.\n\nExamples:\n  gptimage generate \"A T-Rex relaxing on a beach\" -o t-rex.png\n  gptimage edit \"Put \
             a crown on its head\" --image t-rex.png -o crowned.png\n  gptimage doctor",
            gptimage_core::KEY_VARIABLES.join(", ")
        ))
        .subcommand(request_args::generate())
        .subcommand(request_args::edit())
        .subcommand(fetch::command())
        .subcommand(reconcile::command())
        .subcommand(doctor::command())
        .subcommand(emulator::command())
        .subcommand(completions::command())
}

/// Runs a subcommand that uses the network. One thread suffices: a command makes one call.
fn network(subcommand: &str, matches: &ArgMatches, mut report: Report) -> u8 {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = match builder.enable_all().thread_keep_alive(gptimage_core::binding::FILE_THREAD_KEEP_ALIVE).build() {
        Ok(runtime) => runtime,
        Err(error) => return print::start_failed(&error),
    };
    let code = runtime.block_on(async {
        let mut signals = Signals::listen();
        let result = match subcommand {
            "fetch" => fetch::fetch(matches, &mut signals).await,
            "reconcile" => reconcile::reconcile(matches, &mut signals).await,
            "doctor" => match signals.or(doctor::diagnose(matches)).await {
                Ok(diagnosis) => CommandResult::Diagnosed(diagnosis),
                Err(signal) => CommandResult::Interrupted { signal, ids: Vec::new() },
            },
            "edit" => send::run(RequestArgs::read(Operation::Edit, matches), &mut signals, &mut report.hints).await,
            _ => send::run(RequestArgs::read(Operation::Generate, matches), &mut signals, &mut report.hints).await,
        };
        print_or_signal(&mut signals, run_blocking(move || report.print(result))).await
    });
    // Ending the tasks removes their temporary files.
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    code
}

/// Waits for the result to be printed and returns the exit code. A signal ends the wait if the reader is stuck.
async fn print_or_signal(signals: &mut Signals, report: impl Future<Output = Option<u8>>) -> u8 {
    let mut report = std::pin::pin!(report);
    let code = match signals.or(&mut report).await {
        Ok(code) => code,
        Err(signal) => match tokio::time::timeout(PRINT_TIMEOUT, report).await {
            Ok(code) => code,
            Err(_) => return signal.exit_code(),
        },
    };
    code.unwrap_or_else(|| exit_code(ErrorKind::Internal))
}
