//! One order, carried out.

use std::future::IntoFuture;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use gptimage_core::{
    Budget, Call, CancelToken, Charge, Client, Config, EditRequest, Error, ErrorKind, GenerateRequest, Generated,
    Image, ImageInput, Operation, SaveTo,
};
use gptimage_emulator::Emulator;
use serde_json::Value;

use crate::connection;
use crate::live::Live;
use crate::order::Order;
use crate::stdin::Stdin;

/// What came of an order.
pub(crate) enum Outcome {
    Made(Box<Generated>),
    /// The text of a dry run.
    Described(String),
    Failed {
        error: Box<Error>,
        /// What became of pictures that the error held in memory.
        rescued: Rescued,
    },
    /// What was typed cannot be meant.
    Misused(String),
    /// The emulator cannot start.
    NoEmulator(String),
}

/// Pictures that were paid for and had no place.
#[derive(Debug, Default)]
pub(crate) struct Rescued {
    pub(crate) saved: Vec<PathBuf>,
    /// Those that no folder took.
    pub(crate) unsaved: Vec<Image>,
}

/// Why an order ends early.
enum Stop {
    Error(Box<Error>),
    Misused(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self::Misused(message)
    }
}

/// Carries an order out.
pub(crate) async fn make(order: Order) -> Outcome {
    let emulator = if order.emulator && !order.dry_run {
        match Emulator::builder().start().await {
            Ok(emulator) => Some(emulator),
            Err(error) => return Outcome::NoEmulator(error.to_string()),
        }
    } else {
        None
    };
    match send(&order, emulator.as_ref()).await {
        Ok(outcome) => outcome,
        Err(Stop::Misused(message)) => Outcome::Misused(message),
        Err(Stop::Error(error)) => Outcome::Failed { rescued: rescue(&error), error },
    }
}

/// What a dry run would say; standard input is not read.
pub(crate) fn rehearse(mut order: Order) -> String {
    order.dry_run = true;
    let piped = |path: &PathBuf| Stdin::is_meant(path);
    if Stdin::is_meant(&order.prompt) || order.images.iter().chain(&order.mask).any(piped) {
        return "standard input is read".to_owned();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    match runtime.map(|runtime| runtime.block_on(send(&order, None))) {
        Ok(Ok(Outcome::Described(text))) => text,
        Ok(Ok(_)) => String::new(),
        Ok(Err(Stop::Misused(message))) => message,
        Ok(Err(Stop::Error(error))) => error.to_string(),
        Err(error) => error.to_string(),
    }
}

/// A request of either operation.
enum Request {
    Generate(GenerateRequest),
    Edit(EditRequest),
}

async fn send(order: &Order, emulator: Option<&Emulator>) -> Result<Outcome, Stop> {
    let to_stdout = order.output.as_ref().is_some_and(Stdin::is_meant);
    if to_stdout {
        judge_stdout(order)?;
    }
    let request = build(order)?;
    let mut config = config(order, emulator);
    if let Some((max_usd, per_call)) = &order.max_usd {
        config = config.budget(&Budget::parse(max_usd, per_call.as_deref())?);
    }
    let client = Client::new(config)?;
    connection::note(&client);
    let mut call = match &request {
        Request::Generate(request) => client.generate(request),
        Request::Edit(request) => client.edit(request),
    };
    call = call.deadline(order.deadline);
    if !to_stdout {
        // Without an output, pictures get names of their own in this folder.
        let output = order.output.clone().unwrap_or_else(|| "./".into());
        call = call.save_to(SaveTo::from(output).overwrite(order.overwrite));
    }
    if order.dry_run {
        return Ok(Outcome::Described(call.dry_run()?));
    }
    let live = Live::start();
    let shown = live.clone();
    let outcome = interruptible(&client, call.progress(move |progress| shown.show(progress)), &live).await;
    live.end();
    Ok(Outcome::Made(Box::new(outcome?)))
}

/// Waits for a call. The first Ctrl-C ends what was not sent yet; what may be paid is said and waited for, until a second
/// Ctrl-C gives it up.
async fn interruptible(client: &Client, call: Call, live: &Live) -> Result<Generated, Error> {
    let token = CancelToken::new();
    let mut call = call.cancel(&token).into_future();
    tokio::select! {
        outcome = &mut call => return outcome,
        () = interrupt() => token.cancel(),
    }
    let error = match call.await {
        Err(error) if error.kind() == ErrorKind::Cancelled && error.charge() != Charge::NotCharged => error,
        outcome => return outcome,
    };
    let id = error.attempts().last().map_or("unknown", |attempt| attempt.client_request_id.as_str());
    live.say(&format!(
        "gptimage: interrupted, but this call may be paid, as {id}: waiting for it; Ctrl-C again gives it up"
    ));
    tokio::select! {
        () = client.drain() => client.collect().pop().unwrap_or(Err(error)),
        () = interrupt() => Err(error),
    }
}

/// Resolves at Ctrl-C. Where it cannot be heard of, the system's own way of ending a program remains.
async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// A picture on standard output is for the next program, and there is only one of it.
fn judge_stdout(order: &Order) -> Result<(), String> {
    if order.json {
        return Err("-o - and --json both write to standard output; choose one".to_owned());
    }
    if order.parameters.iter().any(|(name, value)| *name == "n" && value.trim() != "1") {
        return Err("-o - takes one picture; for several give a folder".to_owned());
    }
    if io::stdout().is_terminal() && !order.dry_run {
        return Err("a picture is not written to a terminal; pipe it on, or give a file".to_owned());
    }
    Ok(())
}

fn build(order: &Order) -> Result<Request, Stop> {
    let mut stdin = Stdin::default();
    let prompt = stdin.prompt(&order.prompt)?;
    if order.operation == Operation::Edit {
        let images = order.images.iter().map(|image| stdin.image(image)).collect::<Result<Vec<ImageInput>, _>>()?;
        let mut builder = EditRequest::builder(prompt, images).structural_rules(order.structural_rules);
        for (name, text) in &order.parameters {
            builder = builder.set(name, text);
        }
        for (name, text) in &order.extra {
            builder = builder.extra(name, value(text));
        }
        if let Some(mask) = &order.mask {
            builder = builder.mask(stdin.image(mask)?);
        }
        return Ok(Request::Edit(builder.build()?));
    }
    let mut builder = GenerateRequest::builder(prompt).structural_rules(order.structural_rules);
    for (name, text) in &order.parameters {
        builder = builder.set(name, text);
    }
    for (name, text) in &order.extra {
        builder = builder.extra(name, value(text));
    }
    Ok(Request::Generate(builder.build()?))
}

/// A number, true, null, a list or an object is what it looks like; anything else is text.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn config(order: &Order, emulator: Option<&Emulator>) -> Config {
    let config = order.config.clone();
    match emulator {
        Some(emulator) => config.api_key(emulator.key()).base_url(emulator.base_url()),
        // A dry run shows no key, so none is asked for.
        None if order.dry_run => config.api_key("not-sent"),
        None => config,
    }
}

/// Saves pictures that are in memory only because their file could not be written: here, or where temporary files go.
pub(crate) fn rescue(error: &Error) -> Rescued {
    let mut rescued = Rescued::default();
    for image in error.generated().map(Generated::images).unwrap_or_default() {
        if image.bytes().is_none_or(|bytes| bytes.is_empty()) {
            continue;
        }
        match image.save("./").or_else(|_| image.save(std::env::temp_dir())) {
            Ok(path) => rescued.saved.push(path),
            Err(_) => rescued.unsaved.push(image.clone()),
        }
    }
    rescued
}
