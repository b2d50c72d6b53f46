//! `gptimage emulator`: runs an emulator of the API on this machine until a signal stops it.

use std::io;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use gptimage_core::ErrorKind;
use gptimage_emulator::{Emulator, EmulatorBuilder, ErrorForm, Latency, StartError, parse_duration};
use serde_json::json;

use crate::exit_code::exit_code;
use crate::print;
use crate::signals::Signals;
use crate::stdio;

const EXAMPLES: &str = "\
Examples:
  gptimage emulator --port 8080
      Then, in another terminal:
  curl http://127.0.0.1:8080/v1/images/generations -H 'Authorization: Bearer any' \\
      -H 'Content-Type: application/json' -d '{\"model\": \"openai/gpt-image-2\", \"prompt\": \"A T-Rex\"}'
  curl http://127.0.0.1:8080/v1/images/edits -H 'Authorization: Bearer any' \\
      -F model=openai/gpt-image-2 -F prompt='Put the crown on its head' \\
      -F 'image[]=@t-rex.png;type=image/png' -F 'image[]=@crown.png;type=image/png'

      Make the next call fail, then read what happened:
  curl http://127.0.0.1:8080/_emulator/faults -d '{\"answer\": {\"status\": 429, \"headers\": {\"retry-after\": \"2\"}}}'
  curl 'http://127.0.0.1:8080/_emulator/ledger?settled=true'

      List every fault and setting, with examples:
  curl http://127.0.0.1:8080/_emulator

      For a script: a free port, addresses and key as JSON, realistic latency, a balance of 10 dollars:
  gptimage emulator --json --latency 45s..80s --balance 10 --key sk-test

The first line of stdout is the base URL. The emulator listens on 127.0.0.1 only. Ctrl-C, SIGTERM or SIGHUP stops it with\nexit code 0.";

/// The subcommand's arguments.
pub(crate) fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let forms = ErrorForm::ALL.iter().map(|form| form.as_str());
    Command::new("emulator")
        .about(
            "Run an emulator of the API on this machine, with images, prices and faults to test against: no key, no cost",
        )
        .after_help(EXAMPLES)
        .arg(
            option("port", "PORT", "Port of the API; 0 picks a free one")
                .value_parser(value_parser!(u16))
                .default_value("0"),
        )
        .arg(flag(
            "json",
            "Print base_url, cdn_url, control_url and key as one line of JSON instead of the base URL",
        ))
        .arg(
            option("key", "KEY", "API key to accept; may be repeated. Default: any key")
                .value_parser(NonEmptyStringValueParser::new())
                .action(ArgAction::Append),
        )
        .next_help_heading("Money")
        .arg(option("balance", "USD", "Account balance in US dollars").default_value("1000"))
        .arg(
            option("billing", "MODEL", "documented: failures are free. pessimistic: every request that arrived whole is charged")
                .value_parser(PossibleValuesParser::new(["documented", "pessimistic"]))
                .default_value("documented"),
        )
        .arg(flag("no-price-headers", "Do not state the price in response headers"))
        .next_help_heading("Behaviour")
        .arg(
            option("latency", "TIME", "Time to make an image, such as 2s or 45s..80s. Default: none")
                .value_parser(ValueParser::new(str::parse::<Latency>)),
        )
        .arg(
            option("log-lag", "TIME", "Delay before an answered call appears in /v2/logs. Default: none")
                .value_parser(ValueParser::new(parse_duration)),
        )
        .arg(
            option("url-expiry", "TIME", "Lifetime of an image's URL. Default: until memory is needed")
                .value_parser(ValueParser::new(parse_duration)),
        )
        .arg(
            option("error-form", "FORM", "Format of the emulator's own error bodies")
                .value_parser(PossibleValuesParser::new(forms))
                .default_value(ErrorForm::default().as_str()),
        )
}

/// Runs an emulator until a signal ends it.
pub(crate) fn run(matches: &ArgMatches) -> u8 {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error, ErrorKind::Io),
    };
    let code = runtime.block_on(serve(matches));
    // Do not wait for an image that is being drawn.
    runtime.shutdown_background();
    code
}

async fn serve(matches: &ArgMatches) -> u8 {
    // Before the first line is printed: its reader may send a signal at once.
    let mut signals = Signals::listen();
    let emulator = match settings(matches).start().await {
        Ok(emulator) => emulator,
        Err(StartError::Io(error)) => return failed(&explain_port(&error, matches), ErrorKind::Io),
        Err(error) => return failed(&error, ErrorKind::InvalidRequest),
    };
    if let Err(error) = announce(&emulator, matches.get_flag("json")) {
        return failed(&error, ErrorKind::Io);
    }
    signals.next().await;
    emulator.stop().await;
    0
}

pub(crate) fn settings(matches: &ArgMatches) -> EmulatorBuilder {
    let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
    let time = |name: &str| matches.get_one::<Duration>(name).copied();
    let mut builder = Emulator::builder()
        .port(matches.get_one("port").copied().unwrap_or_default())
        .balance_usd(text("balance"))
        .billing(text("billing").parse().unwrap_or_default())
        .price_headers(!matches.get_flag("no-price-headers"))
        .error_form(text("error-form").parse().unwrap_or_default());
    for key in matches.get_many::<String>("key").into_iter().flatten() {
        builder = builder.key(key);
    }
    if let Some(latency) = matches.get_one::<Latency>("latency") {
        builder = builder.latency(*latency);
    }
    if let Some(lag) = time("log-lag") {
        builder = builder.log_lag(lag);
    }
    if let Some(expiry) = time("url-expiry") {
        builder = builder.url_expiry(expiry);
    }
    builder
}

fn announce(emulator: &Emulator, as_json: bool) -> io::Result<()> {
    let line = if as_json {
        let line = json!({
            "base_url": emulator.base_url(), "cdn_url": emulator.cdn_url(),
            "control_url": emulator.control_url(), "key": emulator.key(),
        });
        line.to_string()
    } else {
        emulator.base_url().to_owned()
    };
    stdio::write(format!("{line}\n").as_bytes())
}

/// Explains why the port could not be opened.
fn explain_port(error: &io::Error, matches: &ArgMatches) -> String {
    let port: u16 = matches.get_one("port").copied().unwrap_or_default();
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("port {port} of 127.0.0.1 is taken; choose another with --port, or --port 0 for any free one")
        }
        io::ErrorKind::PermissionDenied => {
            format!("port {port} may not be used; choose one from 1024 on with --port, or --port 0 for any free one")
        }
        _ => format!("the emulator cannot start: {error}"),
    }
}

fn failed(error: &impl std::fmt::Display, kind: ErrorKind) -> u8 {
    print::to_stderr(format_args!("gptimage: {error}"));
    exit_code(kind)
}
