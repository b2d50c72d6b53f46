//! What the command says: paths or JSON on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use gptimage_core::{Cost, Error, ErrorKind, Generated};
use serde_json::{Value, json};

use crate::make::Outcome;

/// How to say it.
pub(crate) struct Report {
    pub(crate) json: bool,
}

/// A pipe that was closed is no reason to fail, let alone to panic.
fn out(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn err(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn exit(kind: ErrorKind) -> ExitCode {
    ExitCode::from(kind.exit_code())
}

impl Report {
    /// Says what came of it, and with which code to exit.
    pub(crate) fn outcome(&self, outcome: Outcome) -> ExitCode {
        match outcome {
            Outcome::Made(generated) => self.made(&generated),
            Outcome::Described(text) => {
                out(text.trim_end());
                ExitCode::SUCCESS
            }
            Outcome::Failed { error, rescued } => self.failed(&error, &rescued),
            Outcome::NoEmulator(reason) => {
                err(format_args!("gptimage: the emulator cannot start: {reason}"));
                exit(ErrorKind::Io)
            }
        }
    }

    /// The program cannot even begin.
    pub(crate) fn broken(&self, error: &io::Error) -> ExitCode {
        err(format_args!("gptimage: {error}"));
        exit(ErrorKind::Internal)
    }

    fn made(&self, generated: &Generated) -> ExitCode {
        for warning in generated.warnings() {
            err(format_args!("gptimage: note: {warning}"));
        }
        if self.json {
            out(to_json(generated));
        } else {
            for path in generated.images().iter().filter_map(|image| image.path()) {
                out(path.display());
            }
        }
        err(summary(generated));
        ExitCode::SUCCESS
    }

    fn failed(&self, error: &Error, rescued: &[std::path::PathBuf]) -> ExitCode {
        err(format_args!("gptimage: {error}"));
        if error.kind() == ErrorKind::Config && error.message().starts_with("no API key") {
            err("gptimage: to try it without a key and without cost, add --emulator");
        }
        for attempt in error.attempts() {
            let sent = format!("{} of {} bytes", attempt.bytes_sent, attempt.bytes_total);
            err(format_args!(
                "gptimage: attempt {}: {}, {sent} sent, {}, id {}",
                attempt.number, attempt.phase, attempt.charge, attempt.client_request_id
            ));
        }
        for image in error.generated().map(Generated::images).unwrap_or_default() {
            match (image.path(), image.url()) {
                (Some(path), _) => err(format_args!("gptimage: paid for and saved: {}", path.display())),
                (None, Some(url)) if image.bytes().is_none() => {
                    err(format_args!("gptimage: paid for and still at: {url}"));
                }
                _ => {}
            }
        }
        for path in rescued {
            err(format_args!("gptimage: paid for and saved: {}", path.display()));
        }
        if self.json {
            out(json!({ "error": to_json(error) }));
        }
        exit(error.kind())
    }
}

fn to_json(shown: &impl serde::Serialize) -> Value {
    serde_json::to_value(shown).unwrap_or(Value::Null)
}

/// Cost and ids in one line.
fn summary(generated: &Generated) -> String {
    let cost = match generated.cost() {
        Some(Cost { usd: Some(usd), credits: Some(credits), .. }) => format!("{usd} USD ({credits} credits)"),
        Some(Cost { usd: Some(usd), .. }) => format!("{usd} USD"),
        Some(Cost { credits: Some(credits), .. }) => format!("{credits} credits"),
        _ => "an unstated price".to_owned(),
    };
    let mut line = format!("cost {cost}, id {}", generated.client_request_id().unwrap_or("unknown"));
    if let Some(inference_id) = generated.inference_id() {
        line.push_str(&format!(", inference {inference_id}"));
    }
    line
}
