//! Prints the result of a command: paths or JSON on stdout, everything else on stderr.

use std::path::Path;

use gptimage_core::{Charge, Cost, Error, ErrorKind, Generated, Image, Reconciled, printable};
use serde_json::{Value, json};

use crate::doctor::{Check, Diagnosis};
use crate::exit_code::exit_code;
use crate::hint::{Hints, plain_url};
use crate::print;
use crate::signals::Signal;
use crate::write_images::{FallbackFiles, WrittenImages};

/// Part of the message of a download error that may be retried.
const FETCH_AGAIN: &str = "fetch it again";

/// The result of a subcommand.
pub(crate) enum CommandResult {
    Generated(Box<WrittenImages>),
    /// A downloaded image, in its file or a stream.
    Fetched(Image),
    Reconciled(Vec<Reconciled>),
    Diagnosed(Diagnosis),
    /// The text of `--dry-run`.
    DryRun(String),
    Failed {
        error: Box<Error>,
        /// Where images that the error held in memory were saved.
        fallback: FallbackFiles,
        /// The signal that ended the call, if one did.
        signal: Option<Signal>,
    },
    /// Refused before the library was called.
    Refused(ErrorKind, String),
    /// Ended by a signal; `ids` are of attempts that may be paid.
    Interrupted {
        signal: Signal,
        ids: Vec<String>,
    },
}

/// How to print a result.
pub(crate) struct Report {
    pub(crate) json: bool,
    pub(crate) hints: Hints,
}

/// Prints a mistake in the command line as JSON.
pub(crate) fn usage(message: &str) {
    let message = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
    print::line(&object(ErrorKind::InvalidRequest, Charge::NotCharged, message), 0);
}

/// An error of the command's own, as JSON.
fn object(kind: ErrorKind, charge: Charge, message: &str) -> String {
    let error = json!({
        "kind": kind.as_str(), "number": kind.number(), "charge": charge.as_str(), "message": message,
    });
    json_line(&json!({ "error": error }))
}

impl Report {
    /// Prints the result and returns the exit code.
    pub(crate) fn print(&self, result: CommandResult) -> u8 {
        match result {
            CommandResult::Generated(written) => self.generated(&written),
            CommandResult::Fetched(image) => match image.path() {
                _ if self.json => print::line(&json_line(&to_json(&image)), 0),
                Some(path) => print::path(path, 0),
                None => 0,
            },
            CommandResult::Reconciled(reconciled) => self.reconciled(&reconciled),
            CommandResult::Diagnosed(diagnosis) => self.diagnosed(&diagnosis),
            CommandResult::DryRun(request) => print::text(&request),
            CommandResult::Failed { error, fallback, signal } => self.failed(&error, &fallback, signal),
            CommandResult::Refused(kind, message) => self.refused(kind, Charge::NotCharged, &message),
            CommandResult::Interrupted { signal, ids } => self.interrupted(signal, &ids),
        }
    }

    fn reconciled(&self, reconciled: &[Reconciled]) -> u8 {
        let clear = reconciled.iter().all(|one| one.charge != Charge::Unknown);
        let mut code = if clear { 0 } else { exit_code(ErrorKind::OutcomeUnknown) };
        if self.json {
            return print::line(&json_line(&json!({ "reconciled": to_json(&reconciled) })), code);
        }
        for one in reconciled {
            let line = format!("{}  {}  {}", one.client_request_id, one.charge.as_str(), one.message);
            code = print::line(&printable(&line), code);
        }
        code
    }

    fn diagnosed(&self, diagnosis: &Diagnosis) -> u8 {
        let mut code = diagnosis.worst.map_or(0, exit_code);
        if self.json {
            return print::line(&json_line(&to_json(diagnosis)), code);
        }
        for Check { name, ok, found, next } in &diagnosis.checks {
            let mark = match ok {
                Some(true) => "ok",
                Some(false) => "NOT OK",
                None => "-",
            };
            code = print::line(&printable(&format!("{name:<14}{mark:<8}{found}")), code);
            if let Some(next) = next {
                code = print::line(&printable(&format!("{:<22}→ {next}", "")), code);
            }
        }
        code
    }

    fn refused(&self, kind: ErrorKind, charge: Charge, message: &str) -> u8 {
        print::to_stderr(format_args!("gptimage: {message}"));
        if self.json { print::line(&object(kind, charge, message), exit_code(kind)) } else { exit_code(kind) }
    }

    fn interrupted(&self, signal: Signal, ids: &[String]) -> u8 {
        if ids.is_empty() {
            let message = format!("ended by {}; nothing was charged", signal.name());
            self.refused(ErrorKind::Cancelled, Charge::NotCharged, &message);
        } else {
            let message = format!("given up by {}; it may be charged as {}", signal.name(), ids.join(", "));
            self.refused(ErrorKind::Cancelled, Charge::Unknown, &message);
            for id in ids {
                self.suggest_reconcile(id);
            }
        }
        signal.exit_code()
    }

    fn generated(&self, written: &WrittenImages) -> u8 {
        let WrittenImages { generated, fills_stdout, fallback, write_error, signal } = written;
        print_warnings(generated);
        print::to_stderr(summary(generated));
        if let Some(write_error) = write_error {
            print::to_stderr(format_args!("gptimage: {write_error}"));
        }
        self.fallback(fallback);
        let whole = write_error.is_none() && fallback.unsaved.is_empty();
        let mut code = if whole { 0 } else { signal.map_or(exit_code(ErrorKind::Io), Signal::exit_code) };
        if self.json {
            let mut object = to_json(generated);
            if !fallback.unsaved.is_empty() {
                add_unsaved(&mut object, fallback);
            }
            return print::line(&json_line(&object), code);
        }
        if *fills_stdout {
            return code;
        }
        for path in generated.images().iter().filter_map(Image::path) {
            code = print::path(path, code);
        }
        code
    }

    fn failed(&self, error: &Error, fallback: &FallbackFiles, signal: Option<Signal>) -> u8 {
        print::to_stderr(format_args!("gptimage: {error}"));
        if error.kind() == ErrorKind::Config && error.message().starts_with("no API key") {
            print::to_stderr("gptimage: to try it without a key and without cost, add --emulator");
        }
        if let Some(generated) = error.generated() {
            print_warnings(generated);
        }
        for attempt in error.attempts() {
            let sent = format!("{} of {} bytes", attempt.bytes_sent, attempt.bytes_total);
            print::to_stderr(format_args!(
                "gptimage: attempt {}: {}, {sent} sent, {}, id {}",
                attempt.number, attempt.phase, attempt.charge, attempt.client_request_id
            ));
        }
        if let Some(unknown) = error.attempts().iter().rfind(|attempt| attempt.charge == Charge::Unknown) {
            self.suggest_reconcile(&unknown.client_request_id);
        }
        for image in error.generated().map(Generated::images).unwrap_or_default() {
            match (image.path(), image.url()) {
                (Some(path), _) => {
                    print::to_stderr(format_args!("gptimage: paid for and saved: {}", path.display()));
                }
                (None, Some(url)) if image.bytes().is_none() => {
                    // The error's message says whether fetching again can help.
                    let advised = error.kind() != ErrorKind::DownloadFailed || error.message().contains(FETCH_AGAIN);
                    let way = self.hints.fetch(url).filter(|_| advised).unwrap_or_else(|| plain_url(url));
                    print::to_stderr(format_args!("gptimage: paid for and still at its URL: {way}"));
                }
                _ => {}
            }
        }
        self.fallback(fallback);
        if let Some(path) = &fallback.answer {
            print::to_stderr(format_args!("gptimage: the whole answer is in {}", path.display()));
        }
        let code = match (error.kind(), signal) {
            (ErrorKind::Cancelled, Some(signal)) => signal.exit_code(),
            (kind, _) => exit_code(kind),
        };
        if self.json {
            let mut object = json!({ "error": to_json(error), "saved": texts(fallback) });
            if fallback.saved.iter().any(|path| path.to_str().is_none()) {
                insert(&mut object, "saved_base64", fallback.saved.iter().map(|path| base64(path)).collect());
            }
            add_unsaved(&mut object, fallback);
            if let (Some(path), Some(error)) = (&fallback.answer, object.get_mut("error")) {
                insert(error, "response_file", path.to_string_lossy().into());
            }
            return print::line(&json_line(&object), code);
        }
        code
    }

    fn suggest_reconcile(&self, id: &str) {
        if let Some(command) = self.hints.reconcile(id) {
            print::to_stderr(format_args!("gptimage: whether it was charged: {command}"));
        }
    }

    /// Prints where images without an output file were saved.
    fn fallback(&self, fallback: &FallbackFiles) {
        for path in &fallback.saved {
            print::to_stderr(format_args!("gptimage: paid for and saved: {}", path.display()));
        }
        for image in fallback.unsaved.iter().filter(|_| !self.json) {
            print::to_stderr(self.unsaved(image));
        }
    }

    /// The message for an image that no folder takes: how to fetch it again, or that it is lost.
    fn unsaved(&self, image: &Image) -> String {
        match image.url().map(|url| self.hints.fetch(url).unwrap_or_else(|| plain_url(url))) {
            Some(way) => format!("gptimage: paid for, and no folder takes it: make room, then {way}"),
            None => "gptimage: paid for and lost: it can be written neither where it belongs, nor here, nor where \
                     temporary files go; with --json the object would have held it"
                .to_owned(),
        }
    }
}

fn print_warnings(generated: &Generated) {
    for warning in generated.warnings() {
        print::to_stderr(format_args!("gptimage: note: {warning}"));
    }
}

/// Adds the bytes of images that no folder takes: they exist only in this process.
fn add_unsaved(object: &mut Value, fallback: &FallbackFiles) {
    let inline = |image: &Image| {
        let bytes = image.bytes().map(|bytes| base64_simd::STANDARD.encode_to_string(bytes));
        json!({ "format": image.format().map(|format| format.as_str()), "url": image.url(), "b64_json": bytes })
    };
    insert(object, "unsaved", fallback.unsaved.iter().map(inline).collect());
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// The paths as text; JSON has no bytes.
fn texts(fallback: &FallbackFiles) -> Value {
    fallback.saved.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// The exact bytes of a path.
fn base64(path: &Path) -> String {
    base64_simd::STANDARD.encode_to_string(path.as_os_str().as_encoded_bytes())
}

/// JSON on one line, with characters that could control a terminal escaped.
fn json_line(value: &Value) -> String {
    let mut line = String::new();
    for char in value.to_string().chars() {
        // JSON has unprintable characters only inside strings, where an escape is allowed.
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

/// The cost and ids of a result in one line.
fn summary(generated: &Generated) -> String {
    let cost = generated.cost().map_or_else(|| "an unstated price".to_owned(), Cost::to_string);
    let mut line = format!("cost {cost}, id {}", generated.client_request_id().unwrap_or("unknown"));
    if let Some(inference_id) = generated.inference_id() {
        line.push_str(&format!(", inference {inference_id}"));
    }
    line
}
