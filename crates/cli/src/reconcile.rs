//! `gptimage reconcile`: what became of calls that may be paid.

use std::time::Duration;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use gptimage_core::{Client, Error, Reconciled};

use crate::connection;
use crate::make::Stop;
use crate::order::time;
use crate::report::Outcome;
use crate::signals::Signals;

const EXAMPLES: &str = "\
Examples:
  gptimage reconcile gptimage-4c0f…              (the id that the command named)
  gptimage reconcile ID ID --period 7d --json

Asking is free. What was charged is told with everything that a refund needs; what failed and cost nothing may be sent again.
Exit code: 0 if all became clear, 11 if one may still be charged.";

/// `gptimage reconcile`.
pub(crate) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("reconcile")
        .about("Asks the vendor's log what became of calls that may be paid")
        .after_help(EXAMPLES)
        .arg(
            Arg::new("ids")
                .value_name("ID")
                .required(true)
                .num_args(1..)
                .help("Client request ids, as results and errors name them"),
        )
        .arg(option(
            "period",
            "TIME",
            "How far back the log is read: minutes, hours or days, such as 7d; 24h unless given",
        ))
        .arg(
            option(
                "wait",
                "TIME",
                "How long a row is waited for that is not there yet or still running, such as 90s or 5m; 60s unless given",
            )
            .value_parser(ValueParser::new(time)),
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object instead of lines"))
        .args(connection::flags())
}

/// Asks, until a signal comes.
pub(crate) async fn reconcile(matches: &ArgMatches, signals: &mut Signals) -> Outcome {
    match signals.or(ask(matches)).await {
        Ok(Ok(reconciled)) => Outcome::Reconciled(reconciled),
        Ok(Err(error)) => Stop::from(error).into(),
        Err(signal) => Stop::Signal(signal).into(),
    }
}

async fn ask(matches: &ArgMatches) -> Result<Vec<Reconciled>, Error> {
    let client = Client::new(connection::config(matches))?;
    connection::note(&client);
    let mut question = client.reconcile(matches.get_many::<String>("ids").into_iter().flatten());
    if let Some(period) = matches.get_one::<String>("period") {
        question = question.period(period);
    }
    if let Some(wait) = matches.get_one::<Duration>("wait") {
        question = question.patience(*wait);
    }
    question.await
}
