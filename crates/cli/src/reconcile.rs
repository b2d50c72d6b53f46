//! `gptimage reconcile`: looks calls up in the vendor's usage log.

use std::time::Duration;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use gptimage_core::{Error, Reconciled};

use crate::connection;
use crate::duration::duration;
use crate::early_exit::EarlyExit;
use crate::report::CommandResult;
use crate::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  gptimage reconcile gptimage-4c0f…              (the id that a failed command printed)
  gptimage reconcile ID ID --period 7d --json

Asking is free. For a charged call, everything that a refund request needs is printed; a call that cost nothing may be sent
again. Exit code: 0 if every call is resolved, 11 if one may still have been charged.";

/// The subcommand's arguments.
pub(crate) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("reconcile")
        .about("Look up in the vendor's usage log whether calls were charged")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("ids")
                .value_name("ID")
                .required(true)
                .num_args(1..)
                .help("Client request ids, as printed with results and errors"),
        )
        .arg(option(
            "period",
            "TIME",
            "How far back to read the log, in minutes (m), hours (h) or days (d), such as 7d. Default: 24h",
        ))
        .arg(
            option(
                "timeout",
                "TIME",
                "How long to wait for a log entry that is missing or still running, such as 90s or 5m. Default: 60s",
            )
            .value_parser(ValueParser::new(duration)),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object instead of lines"))
        .args(connection::flags())
}

/// Runs `reconcile`; a signal ends it.
pub(crate) async fn reconcile(matches: &ArgMatches, signals: &mut Signals) -> CommandResult {
    match signals.or(ask(matches)).await {
        Ok(Ok(reconciled)) => CommandResult::Reconciled(reconciled),
        Ok(Err(error)) => EarlyExit::from(error).into(),
        Err(signal) => EarlyExit::Signal(signal).into(),
    }
}

async fn ask(matches: &ArgMatches) -> Result<Vec<Reconciled>, Error> {
    let client = connection::builder(matches).build()?;
    connection::print_notes(&client);
    let mut lookup = client.reconcile(matches.get_many::<String>("ids").into_iter().flatten());
    if let Some(period) = matches.get_one::<String>("period") {
        lookup = lookup.period(period);
    }
    if let Some(timeout) = matches.get_one::<Duration>("timeout") {
        lookup = lookup.timeout(*timeout);
    }
    lookup.send().await
}
