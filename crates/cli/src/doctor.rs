//! `gptimage doctor`: checks the setup and says what to do next. Sends one free request to the gateway.

use clap::{Arg, ArgAction, ArgMatches, Command};
use gptimage_core::binding::Environment;
use gptimage_core::{Error, ErrorKind, KEY_VARIABLES};
use serde::Serialize;

use crate::connection;

const EXAMPLES: &str = "\
Examples:
  gptimage doctor
  gptimage doctor --base-url http://127.0.0.1:8080 --json";

/// The subcommand's arguments.
pub(crate) fn command() -> Command {
    Command::new("doctor")
        .about("Check key, base URL, certificates, proxy and balance, at no cost")
        .after_help(EXAMPLES)
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object"))
        .args(connection::flags())
}

/// The result of one check.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// `None`: informational.
    pub(crate) ok: Option<bool>,
    pub(crate) found: String,
    /// What to do if the check failed.
    pub(crate) next: Option<String>,
}

/// The results of all checks.
#[derive(Debug, Serialize)]
pub(crate) struct Diagnosis {
    pub(crate) checks: Vec<Check>,
    #[serde(skip)]
    pub(crate) worst: Option<ErrorKind>,
}

impl Diagnosis {
    fn ok(&mut self, name: &'static str, found: impl Into<String>) {
        self.checks.push(Check { name, ok: Some(true), found: found.into(), next: None });
    }

    fn info(&mut self, name: &'static str, found: impl Into<String>) {
        self.checks.push(Check { name, ok: None, found: found.into(), next: None });
    }

    fn fail(&mut self, name: &'static str, kind: ErrorKind, found: impl Into<String>, next: impl Into<String>) {
        self.worst.get_or_insert(kind);
        self.checks.push(Check { name, ok: Some(false), found: found.into(), next: Some(next.into()) });
    }
}

/// Runs all checks.
pub(crate) async fn diagnose(matches: &ArgMatches) -> Diagnosis {
    let mut diagnosis = Diagnosis { checks: Vec::new(), worst: None };
    let environment = Environment::snapshot();
    let builder = connection::builder(matches);
    match environment.key {
        Some(variable) => diagnosis.ok("key", format!("from {variable}")),
        None => diagnosis.fail(
            "key",
            ErrorKind::Config,
            format!("none of {} is set", KEY_VARIABLES.join(", ")),
            format!("export {}=…, or try things out with --emulator", KEY_VARIABLES.first().unwrap_or(&"AIMLAPI_KEY")),
        ),
    }
    // The other checks do not need a key.
    let keyless = if environment.key.is_some() { builder.clone() } else { builder.clone().api_key("not-sent") };
    let client = match keyless.build() {
        Ok(client) => client,
        Err(error) => {
            diagnosis.fail("configuration", error.kind(), error.to_string(), "correct what it names");
            return diagnosis;
        }
    };
    let source = match environment.base_url {
        _ if matches.get_one::<String>("base-url").is_some() => "from --base-url".to_owned(),
        Some(variable) => format!("from {variable}"),
        None => "the default".to_owned(),
    };
    let connection = client.connection();
    diagnosis.ok("base URL", format!("{} ({source})", client.base_url().trim_end_matches('/')));
    for note in connection.notes {
        diagnosis.info("note", note);
    }
    if client.base_url().starts_with("http:") {
        diagnosis.info("certificates", format!("not needed for this base URL; else {}", connection.certificates));
    } else {
        // The client could not have been made without them.
        diagnosis.ok("certificates", connection.certificates);
    }
    diagnosis.info("proxy", connection.proxy);
    if environment.key.is_none() {
        return diagnosis;
    }
    match client.balance().await {
        Ok(balance) => {
            let currency = balance.currency.as_deref().unwrap_or("of unstated currency");
            diagnosis.ok("balance", format!("{} {currency}", balance.current_balance));
        }
        Err(error) => {
            let next = advice(&error);
            diagnosis.fail("balance", error.kind(), error.to_string(), next);
        }
    }
    diagnosis
}

fn advice(error: &Error) -> &'static str {
    const OTHER: &str = "check the base URL: what answers there is not the gateway";
    match (error.kind(), error.http_status()) {
        (ErrorKind::Authentication, _) => "copy the key again from your account's page; it may have been revoked",
        (ErrorKind::InsufficientCredits, _) => "top the account up",
        // Firewalls and proxies also answer 403, even if the key is valid.
        (ErrorKind::PermissionDenied, _) => {
            "check the base URL, whether a firewall or proxy is in the way, and what this account may do"
        }
        (ErrorKind::Connection, Some(300..=399)) => "check the base URL: it redirects, which is never followed",
        (ErrorKind::Connection, Some(_)) => "something answers there, and fails: try again later",
        (ErrorKind::Connection, None) if error.message().contains("certificate") => {
            "check the base URL, and whose certificates are trusted (--ca-file)"
        }
        (ErrorKind::Connection, None) => "check what it names: the network, the proxy or the base URL",
        (ErrorKind::NotFound | ErrorKind::BadRequest | ErrorKind::ResponseInvalid, _) => OTHER,
        _ => "try again later",
    }
}
