//! What the command says: paths, JSON or a picture on stdout, everything else on stderr.

use std::fmt::Display;
use std::io;
use std::path::Path;

use gptimage_core::{Charge, Cost, Error, ErrorKind, Generated, Image, Reconciled, printable};
use serde_json::{Value, json};

use crate::deliver::{Delivered, Rescued};
use crate::doctor::{Check, Diagnosis};
use crate::exit_code::exit_code;
use crate::hint::{Hints, plain_url};
use crate::signals::Signal;
use crate::stdio;

/// In the message of a picture that can still be had.
const FETCH_AGAIN: &str = "fetch it again";

/// What came of a verb.
pub(crate) enum Outcome {
    Made(Box<Delivered>),
    /// A picture that was fetched, into its file or a stream.
    Fetched(Image),
    Reconciled(Vec<Reconciled>),
    Diagnosed(Diagnosis),
    /// The text of a dry run.
    Described(String),
    Failed {
        error: Box<Error>,
        /// What became of pictures that the error held in memory.
        rescued: Rescued,
        /// What ended the call, where something did.
        signal: Option<Signal>,
    },
    /// What ended before core was asked.
    Refused(ErrorKind, String),
    /// Ended by a signal; `ids` are of attempts that may be paid.
    Interrupted {
        signal: Signal,
        ids: Vec<String>,
    },
}

/// How to say it.
pub(crate) struct Report {
    pub(crate) json: bool,
    pub(crate) hints: Hints,
}

/// What a server or a file name could hold must not control the terminal. Gives whether it was written; where it cannot be,
/// nobody listens, which is no reason to fail, let alone to panic.
fn err(line: impl Display) -> bool {
    let line = printable(&line.to_string()) + "\n";
    stdio::write_all(&mut io::stderr(), line.as_bytes()).is_ok()
}

/// Says something while a call is on its way. Gives whether it was written.
pub(crate) fn note(line: &str) -> bool {
    err(line)
}

/// A command line that was not understood, for a program that reads objects.
pub(crate) fn usage(message: &str) {
    let message = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
    print(&object(ErrorKind::InvalidRequest, Charge::NotCharged, message), 0);
}

/// An error that core knows nothing of.
fn object(kind: ErrorKind, charge: Charge, message: &str) -> String {
    let error = json!({
        "kind": kind.as_str(), "number": kind.number(), "charge": charge.as_str(), "message": message,
    });
    json_line(&json!({ "error": error }))
}

/// Writes a line to stdout, and gives the exit code. What stdout does not take is said on stderr: it may be about something
/// paid. A reader that left wanted no more, and nothing has failed; anything else has.
fn print(line: &str, code: u8) -> u8 {
    print_bytes(format!("{line}\n").as_bytes(), line, code)
}

fn print_bytes(bytes: &[u8], shown: &str, code: u8) -> u8 {
    let Err(error) = stdio::write(bytes) else { return code };
    let left = error.kind() == io::ErrorKind::BrokenPipe;
    if !left {
        err(format_args!("gptimage: standard output cannot be written to: {error}"));
    }
    for line in shown.lines() {
        err(format_args!("gptimage: not printed: {line}"));
    }
    if code == 0 && !left { exit_code(ErrorKind::Io) } else { code }
}

/// Prints where a picture is, byte by byte as the system has it.
fn print_path(path: &Path, code: u8) -> u8 {
    let mut line = path.as_os_str().as_encoded_bytes().to_vec();
    line.push(b'\n');
    print_bytes(&line, &path.display().to_string(), code)
}

/// Prints a text that is ours, and that can be had again.
pub(crate) fn text(text: &str) -> u8 {
    match stdio::write(format!("{}\n", text.trim_end()).as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => unprinted(&error),
        _ => 0,
    }
}

/// Stdout did not take what can be had again.
pub(crate) fn unprinted(error: &io::Error) -> u8 {
    err(format_args!("gptimage: standard output cannot be written to: {error}"));
    exit_code(ErrorKind::Io)
}

/// The program cannot even begin.
pub(crate) fn broken(error: &io::Error) -> u8 {
    err(format_args!("gptimage: {error}"));
    exit_code(ErrorKind::Internal)
}

impl Report {
    /// Says what came of a verb, and with which code to exit.
    pub(crate) fn outcome(&self, outcome: Outcome) -> u8 {
        match outcome {
            Outcome::Made(delivered) => self.made(&delivered),
            Outcome::Fetched(image) => match image.path() {
                _ if self.json => print(&json_line(&to_json(&image)), 0),
                Some(path) => print_path(path, 0),
                None => 0,
            },
            Outcome::Reconciled(reconciled) => self.reconciled(&reconciled),
            Outcome::Diagnosed(diagnosis) => self.diagnosed(&diagnosis),
            Outcome::Described(request) => text(&request),
            Outcome::Failed { error, rescued, signal } => self.failed(&error, &rescued, signal),
            Outcome::Refused(kind, message) => self.refused(kind, Charge::NotCharged, &message),
            Outcome::Interrupted { signal, ids } => self.interrupted(signal, &ids),
        }
    }

    /// Says what the vendor's log has.
    fn reconciled(&self, reconciled: &[Reconciled]) -> u8 {
        let clear = reconciled.iter().all(|one| one.charge != Charge::Unknown);
        let mut code = if clear { 0 } else { exit_code(ErrorKind::OutcomeUnknown) };
        if self.json {
            return print(&json_line(&json!({ "reconciled": to_json(&reconciled) })), code);
        }
        for one in reconciled {
            let line = format!("{}  {}  {}", one.client_request_id, one.charge.as_str(), one.message);
            code = print(&printable(&line), code);
        }
        code
    }

    /// Says what a diagnosis found.
    fn diagnosed(&self, diagnosis: &Diagnosis) -> u8 {
        let mut code = diagnosis.worst.map_or(0, exit_code);
        if self.json {
            return print(&json_line(&to_json(diagnosis)), code);
        }
        for Check { name, ok, found, next } in &diagnosis.checks {
            let mark = match ok {
                Some(true) => "ok",
                Some(false) => "NOT OK",
                None => "-",
            };
            code = print(&printable(&format!("{name:<14}{mark:<8}{found}")), code);
            if let Some(next) = next {
                code = print(&printable(&format!("{:<22}→ {next}", "")), code);
            }
        }
        code
    }

    fn refused(&self, kind: ErrorKind, charge: Charge, message: &str) -> u8 {
        err(format_args!("gptimage: {message}"));
        if self.json { print(&object(kind, charge, message), exit_code(kind)) } else { exit_code(kind) }
    }

    fn interrupted(&self, signal: Signal, ids: &[String]) -> u8 {
        if ids.is_empty() {
            let message = format!("ended by {}; nothing was charged", signal.name());
            self.refused(ErrorKind::Cancelled, Charge::NotCharged, &message);
        } else {
            let message = format!("given up by {}; it may be charged as {}", signal.name(), ids.join(", "));
            self.refused(ErrorKind::Cancelled, Charge::Unknown, &message);
            for id in ids {
                self.advise_to_reconcile(id);
            }
        }
        signal.exit_code()
    }

    fn made(&self, delivered: &Delivered) -> u8 {
        let Delivered { generated, fills_stdout, rescued, trouble, signal } = delivered;
        warn_of(generated);
        err(summary(generated));
        if let Some(trouble) = trouble {
            err(format_args!("gptimage: {trouble}"));
        }
        self.rescued(rescued);
        let whole = trouble.is_none() && rescued.unsaved.is_empty();
        let mut code = if whole { 0 } else { signal.map_or(exit_code(ErrorKind::Io), Signal::exit_code) };
        if self.json {
            let mut object = to_json(generated);
            if !rescued.unsaved.is_empty() {
                add_unsaved(&mut object, rescued);
            }
            return print(&json_line(&object), code);
        }
        if *fills_stdout {
            return code;
        }
        for path in generated.images().iter().filter_map(Image::path) {
            code = print_path(path, code);
        }
        code
    }

    fn failed(&self, error: &Error, rescued: &Rescued, signal: Option<Signal>) -> u8 {
        err(format_args!("gptimage: {error}"));
        if error.kind() == ErrorKind::Config && error.message().starts_with("no API key") {
            err("gptimage: to try it without a key and without cost, add --emulator");
        }
        if let Some(generated) = error.generated() {
            warn_of(generated);
        }
        for attempt in error.attempts() {
            let sent = format!("{} of {} bytes", attempt.bytes_sent, attempt.bytes_total);
            err(format_args!(
                "gptimage: attempt {}: {}, {sent} sent, {}, id {}",
                attempt.number, attempt.phase, attempt.charge, attempt.client_request_id
            ));
        }
        if let Some(unknown) = error.attempts().iter().rfind(|attempt| attempt.charge == Charge::Unknown) {
            self.advise_to_reconcile(&unknown.client_request_id);
        }
        for image in error.generated().map(Generated::images).unwrap_or_default() {
            match (image.path(), image.url()) {
                (Some(path), _) => {
                    err(format_args!("gptimage: paid for and saved: {}", path.display()));
                }
                (None, Some(url)) if image.bytes().is_none() => {
                    // Why it could not be had, and whether it can be, core knows and says.
                    let advised = error.kind() != ErrorKind::DownloadFailed || error.message().contains(FETCH_AGAIN);
                    let way = self.hints.fetch(url).filter(|_| advised).unwrap_or_else(|| plain_url(url));
                    err(format_args!("gptimage: paid for and still at its URL: {way}"));
                }
                _ => {}
            }
        }
        self.rescued(rescued);
        if let Some(path) = &rescued.answer {
            err(format_args!("gptimage: the whole answer is in {}", path.display()));
        }
        let code = match (error.kind(), signal) {
            (ErrorKind::Cancelled, Some(signal)) => signal.exit_code(),
            (kind, _) => exit_code(kind),
        };
        if self.json {
            let mut object = json!({ "error": to_json(error), "saved": texts(rescued) });
            if rescued.saved.iter().any(|path| path.to_str().is_none()) {
                insert(&mut object, "saved_base64", rescued.saved.iter().map(|path| base64(path)).collect());
            }
            add_unsaved(&mut object, rescued);
            if let (Some(path), Some(error)) = (&rescued.answer, object.get_mut("error")) {
                insert(error, "response_file", path.to_string_lossy().into());
            }
            return print(&json_line(&object), code);
        }
        code
    }

    fn advise_to_reconcile(&self, id: &str) {
        if let Some(command) = self.hints.reconcile(id) {
            err(format_args!("gptimage: whether it was charged: {command}"));
        }
    }

    /// Says what became of pictures that had no place.
    fn rescued(&self, rescued: &Rescued) {
        for path in &rescued.saved {
            err(format_args!("gptimage: paid for and saved: {}", path.display()));
        }
        for image in rescued.unsaved.iter().filter(|_| !self.json) {
            err(self.lost(image));
        }
    }

    /// Where a picture that no folder takes can still be had, or that it is gone.
    fn lost(&self, image: &Image) -> String {
        match image.url().map(|url| self.hints.fetch(url).unwrap_or_else(|| plain_url(url))) {
            Some(way) => format!("gptimage: paid for, and no folder takes it: make room, then {way}"),
            None => "gptimage: paid for and lost: it can be written neither where it belongs, nor here, nor where \
                     temporary files go; with --json the object would have held it"
                .to_owned(),
        }
    }
}

fn warn_of(generated: &Generated) {
    for warning in generated.warnings() {
        err(format_args!("gptimage: note: {warning}"));
    }
}

/// Pictures that no folder takes, for a program that reads objects: their bytes themselves, for they end with this process.
fn add_unsaved(object: &mut Value, rescued: &Rescued) {
    let inline = |image: &Image| {
        let bytes = image.bytes().map(|bytes| base64_simd::STANDARD.encode_to_string(bytes));
        json!({ "format": image.format().map(|format| format.as_str()), "url": image.url(), "b64_json": bytes })
    };
    insert(object, "unsaved", rescued.unsaved.iter().map(inline).collect());
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// Names as text, which is all that JSON has.
fn texts(rescued: &Rescued) -> Value {
    rescued.saved.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// The exact bytes of a name.
fn base64(path: &Path) -> String {
    base64_simd::STANDARD.encode_to_string(path.as_os_str().as_encoded_bytes())
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
