//! What the command says: paths, JSON or a picture on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, Write};

use gptimage_core::{Charge, Cost, Error, ErrorKind, Generated, Image, Reconciled, printable};
use serde_json::{Value, json};

use crate::doctor::{Check, Diagnosis};
use crate::make::{Outcome, Rescued, rescue};

/// How to say it.
pub(crate) struct Report {
    pub(crate) json: bool,
}

/// A pipe that was closed is no reason to fail, let alone to panic.
fn out(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// What a server or a file name could hold must not control the terminal.
fn err(line: impl Display) {
    let _ = writeln!(io::stderr(), "{}", printable(&line.to_string()));
}

fn exit(kind: ErrorKind) -> u8 {
    kind.exit_code()
}

/// Says something while a call is on its way.
pub(crate) fn note(line: &str) {
    err(line);
}

/// A command line that was not understood, for a program that reads objects.
pub(crate) fn usage(message: &str) {
    let message = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
    out(object(ErrorKind::InvalidRequest, message));
}

/// An error that core knows nothing of.
fn object(kind: ErrorKind, message: &str) -> String {
    let error = json!({
        "kind": kind.as_str(), "number": kind.number(), "charge": "not_charged", "message": message,
    });
    json_line(&json!({ "error": error }))
}

/// Prints a text that is ours.
pub(crate) fn text(text: &str) -> u8 {
    out(text.trim_end());
    0
}

/// The program cannot even begin.
pub(crate) fn broken(error: &io::Error) -> u8 {
    err(format_args!("gptimage: {error}"));
    exit(ErrorKind::Internal)
}

impl Report {
    /// Says what came of an order, and with which code to exit.
    pub(crate) fn outcome(&self, outcome: Outcome) -> u8 {
        match outcome {
            Outcome::Made(generated) => self.made(&generated),
            Outcome::Described(request) => text(&request),
            Outcome::Failed { error, rescued } => self.failed(&error, &rescued),
            Outcome::Misused(message) => self.refused(ErrorKind::InvalidRequest, &message),
            Outcome::NoEmulator(reason) => self.refused(ErrorKind::Io, &format!("the emulator cannot start: {reason}")),
        }
    }

    /// Says what came of a fetch.
    pub(crate) fn fetched(&self, fetched: Result<Image, Error>) -> u8 {
        match fetched {
            Ok(image) => {
                if self.json {
                    out(json_line(&to_json(&image)));
                } else if let Some(path) = image.path() {
                    out(path.display());
                }
                0
            }
            Err(error) => self.failed(&error, &rescue(&error)),
        }
    }

    /// Says what the vendor's log has.
    pub(crate) fn reconciled(&self, reconciled: Result<Vec<Reconciled>, Error>) -> u8 {
        let reconciled = match reconciled {
            Ok(reconciled) => reconciled,
            Err(error) => return self.failed(&error, &Rescued::default()),
        };
        if self.json {
            out(json_line(&json!({ "reconciled": to_json(&reconciled) })));
        } else {
            for one in &reconciled {
                out(printable(&format!("{}  {}  {}", one.client_request_id, one.charge.as_str(), one.message)));
            }
        }
        let clear = reconciled.iter().all(|one| one.charge != Charge::Unknown);
        if clear { 0 } else { exit(ErrorKind::OutcomeUnknown) }
    }

    /// Says what a diagnosis found.
    pub(crate) fn diagnosed(&self, diagnosis: &Diagnosis) -> u8 {
        if self.json {
            out(json_line(&to_json(diagnosis)));
        } else {
            for Check { name, ok, found, next } in &diagnosis.checks {
                let mark = match ok {
                    Some(true) => "ok",
                    Some(false) => "NOT OK",
                    None => "-",
                };
                out(printable(&format!("{name:<14}{mark:<8}{found}")));
                if let Some(next) = next {
                    out(printable(&format!("{:<22}→ {next}", "")));
                }
            }
        }
        diagnosis.worst.map_or(0, exit)
    }

    /// What ended before core was asked.
    fn refused(&self, kind: ErrorKind, message: &str) -> u8 {
        err(format_args!("gptimage: {message}"));
        if self.json {
            out(object(kind, message));
        }
        exit(kind)
    }

    fn made(&self, generated: &Generated) -> u8 {
        for warning in generated.warnings() {
            err(format_args!("gptimage: note: {warning}"));
        }
        err(summary(generated));
        if self.json {
            out(json_line(&to_json(generated)));
            return 0;
        }
        for image in generated.images() {
            if let Some(path) = image.path() {
                out(path.display());
            } else if let Some(bytes) = image.bytes() {
                let mut stdout = io::stdout().lock();
                if let Err(error) = stdout.write_all(bytes).and_then(|()| stdout.flush()) {
                    return unwritten(image, &error);
                }
            }
        }
        0
    }

    fn failed(&self, error: &Error, rescued: &Rescued) -> u8 {
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
        if let Some(unknown) = error.attempts().iter().rfind(|attempt| attempt.charge == Charge::Unknown) {
            err(format_args!("gptimage: whether it was charged: gptimage reconcile {}", unknown.client_request_id));
        }
        for image in error.generated().map(Generated::images).unwrap_or_default() {
            match (image.path(), image.url()) {
                (Some(path), _) => err(format_args!("gptimage: paid for and saved: {}", path.display())),
                (None, Some(url)) if image.bytes().is_none() => {
                    err(format_args!("gptimage: paid for and still at its URL: gptimage fetch '{url}'"));
                }
                _ => {}
            }
        }
        for path in &rescued.saved {
            err(format_args!("gptimage: paid for and saved: {}", path.display()));
        }
        for image in rescued.unsaved.iter().filter(|_| !self.json) {
            err(lost(image));
        }
        if self.json {
            let unsaved: Vec<Value> = rescued.unsaved.iter().map(inline).collect();
            out(json_line(&json!({ "error": to_json(error), "saved": rescued.saved, "unsaved": unsaved })));
        }
        exit(error.kind())
    }
}

/// A picture that no folder takes, for a program that reads objects: its bytes themselves, for they end with this process.
fn inline(image: &Image) -> Value {
    let bytes = image.bytes().map(|bytes| base64_simd::STANDARD.encode_to_string(bytes));
    json!({ "format": image.format().map(|format| format.as_str()), "url": image.url(), "b64_json": bytes })
}

/// The same for people: where it can still be had, or that it is gone.
fn lost(image: &Image) -> String {
    match image.url() {
        Some(url) => format!("gptimage: paid for, and no folder takes it: make room, then gptimage fetch '{url}'"),
        None => "gptimage: paid for and lost: it can be written neither where it belongs, nor here, nor where \
                 temporary files go; with --json the object would have held it"
            .to_owned(),
    }
}

/// The reader of a picture left: the picture is kept in a file.
fn unwritten(image: &Image, error: &io::Error) -> u8 {
    err(format_args!("gptimage: the picture was paid for and cannot be written to standard output: {error}"));
    match image.save("./").or_else(|_| image.save(std::env::temp_dir())) {
        Ok(path) => err(format_args!("gptimage: paid for and saved: {}", path.display())),
        Err(error) => {
            err(format_args!("gptimage: {error}"));
            err(lost(image));
        }
    }
    exit(ErrorKind::Io)
}

/// JSON that a terminal shows as it is: characters that could control it are escaped, which JSON allows in any string.
fn json_line(value: &Value) -> String {
    let mut line = String::new();
    for char in value.to_string().chars() {
        // Anything unprintable stands inside a string: JSON has none elsewhere.
        if printable(char.encode_utf8(&mut [0; 4])).chars().eq([char]) {
            line.push(char);
        } else {
            let mut units = [0; 2];
            line.extend(char.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    line
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
