//! One order, carried out.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use gptimage_core::{
    Budget, Client, Config, EditRequest, Error, ErrorKind, GenerateRequest, ImageInput, Operation, SaveTo,
};
use gptimage_emulator::Emulator;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::connection;
use crate::deliver::{deliver, rescue};
use crate::destination::{Destination, Opened, Stream};
use crate::hint::Hints;
use crate::interrupt::{Ended, interruptible};
use crate::live::Live;
use crate::order::Order;
use crate::report::{Outcome, note};
use crate::signals::{Signal, Signals, aside};
use crate::stdin::Stdin;
use crate::stdio;

/// A FIFO that nobody reads yet is spoken of after this time.
const SAY_WAITING_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

/// Why an order ends early.
pub(crate) enum Stop {
    Error(Box<Error>),
    /// What was typed cannot be meant.
    Misused(String),
    /// Something of this machine's cannot be used.
    Unusable(String),
    Signal(Signal),
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

impl From<Signal> for Stop {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Misused(message) => Self::Refused(ErrorKind::InvalidRequest, message),
            Stop::Unusable(message) => Self::Refused(ErrorKind::Io, message),
            Stop::Signal(signal) => Self::Interrupted { signal, ids: Vec::new() },
            Stop::Error(error) => Self::Failed { rescued: rescue(&error), error, signal: None },
        }
    }
}

/// Carries an order out.
pub(crate) async fn make(order: Order, signals: &mut Signals, hints: &mut Hints) -> Outcome {
    let emulator = if order.emulator && !order.dry_run {
        match Emulator::builder().start().await {
            Ok(emulator) => Some(emulator),
            Err(error) => return Outcome::Refused(ErrorKind::Io, format!("the emulator cannot start: {error}")),
        }
    } else {
        None
    };
    send(Arc::new(order), emulator.as_ref(), signals, hints).await.unwrap_or_else(Outcome::from)
}

/// What a dry run would say; standard input is not read.
pub(crate) fn rehearse(mut order: Order) -> String {
    order.dry_run = true;
    if reads_stdin(&order) {
        return "standard input is read".to_owned();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let (mut signals, mut hints) = (Signals::none(), Hints::default());
    let order = Arc::new(order);
    match runtime.map(|runtime| runtime.block_on(send(order, None, &mut signals, &mut hints))) {
        Ok(Ok(Outcome::Described(text))) => text,
        Ok(Ok(_)) => String::new(),
        Ok(Err(Stop::Misused(message) | Stop::Unusable(message))) => message,
        Ok(Err(Stop::Error(error))) => error.to_string(),
        Ok(Err(Stop::Signal(signal))) => signal.name().to_owned(),
        Err(error) => error.to_string(),
    }
}

/// A request of either operation.
enum Request {
    Generate(GenerateRequest),
    Edit(EditRequest),
}

async fn send(
    order: Arc<Order>,
    emulator: Option<&Emulator>,
    signals: &mut Signals,
    hints: &mut Hints,
) -> Result<Outcome, Stop> {
    let destination = Destination::of(order.output.as_deref())?;
    judge_output(&order, &destination)?;
    let request = if order.dry_run && !reads_stdin(&order) {
        build(&order)?
    } else {
        // Nothing that is read may keep a signal from being heard.
        let order = order.clone();
        signals.or(aside(move || build(&order))).await?.ok_or_else(ended_early)??
    };
    let mut config = config(&order, emulator);
    if let Some((max_usd, per_call)) = &order.max_usd {
        config = config.budget(&Budget::parse(max_usd, per_call.as_deref())?);
    }
    let client = Client::new(config)?;
    hints.base_url(client.base_url());
    connection::note(&client);
    let mut call = match &request {
        Request::Generate(request) => client.generate(request),
        Request::Edit(request) => client.edit(request),
    };
    call = call.deadline(order.deadline);
    if let Destination::Files(path) = &destination {
        call = call.save_to(SaveTo::from(path).overwrite(order.overwrite));
    }
    if order.dry_run {
        return Ok(Outcome::Described(call.dry_run()?));
    }
    let mut stream = None;
    if let Destination::Stream(named) = destination {
        stream = Some((open(&named, &order, signals).await?, named));
    }
    let live = Live::start();
    let shown = live.clone();
    let call = call.progress(move |progress| shown.show(progress));
    let ended = interruptible(&client, call, &live, signals).await;
    live.end();
    Ok(match ended {
        Ended::Outcome(Ok(generated), _) => Outcome::Made(Box::new(deliver(generated, stream, signals).await)),
        Ended::Outcome(Err(error), signal) => {
            Outcome::Failed { rescued: rescue(&error), error: Box::new(error), signal }
        }
        Ended::Abandoned { signal, ids } => Outcome::Interrupted { signal, ids },
    })
}

fn ended_early() -> Stop {
    Stop::Unusable("the inputs could not be read: a fault of ours; nothing was sent".to_owned())
}

fn reads_stdin(order: &Order) -> bool {
    let piped = |path: &PathBuf| Stdin::is_meant(path);
    Stdin::is_meant(&order.prompt) || order.images.iter().chain(&order.mask).any(piped)
}

/// A stream takes one picture; and what is to be printed must have a place.
fn judge_output(order: &Order, destination: &Destination) -> Result<(), Stop> {
    if let Destination::Stream(stream) = destination {
        let name = order.output.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        if order.json && *stream == Stream::Stdout {
            return Err(format!("-o {name} and --json both write to standard output; choose one").into());
        }
        if order.parameters.iter().any(|(name, value)| *name == "n" && value.trim() != "1") {
            return Err(format!("-o {name} takes one picture; for several give a folder").into());
        }
        if !order.dry_run {
            stream.judge()?;
        }
    }
    let prints = order.json || !matches!(destination, Destination::Stream(Stream::Path(_)));
    match stdio::unwritable().filter(|_| prints && !order.dry_run) {
        None => Ok(()),
        Some(error) if destination.is_stdout() => Err(Stop::Unusable(format!(
            "standard output cannot be written to: {error}; nothing was sent. Give a file with -o"
        ))),
        Some(error) => Err(Stop::Unusable(format!(
            "standard output cannot be written to: {error}; nothing was sent. What is made is named there: send it to a file, \
             or to /dev/null"
        ))),
    }
}

/// Opens a stream before money is spent. A FIFO is waited for until somebody reads it.
async fn open(stream: &Stream, order: &Order, signals: &mut Signals) -> Result<Opened, Stop> {
    let named = stream.clone();
    let opening = async {
        let mut opening = std::pin::pin!(aside(move || named.open()));
        tokio::select! {
            opened = &mut opening => return Some(opened),
            () = tokio::time::sleep(SAY_WAITING_AFTER) => {}
        }
        note(&format!("gptimage: waiting for somebody to read {}", stream.name()));
        match order.deadline {
            Some(deadline) => tokio::time::timeout(deadline, opening).await.ok(),
            None => Some(opening.await),
        }
    };
    match signals.or(opening).await? {
        Some(Some(opened)) => opened.map_err(Stop::Unusable),
        Some(None) => Err(ended_early()),
        None => Err(Stop::Unusable(format!("nobody reads {}; nothing was sent", stream.name()))),
    }
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
            builder = builder.extra_json(name, &value(text));
        }
        if let Some(output) = &order.output {
            builder = builder.output_format_from(output);
        }
        if let Some(mask) = &order.mask {
            builder = builder.mask(stdin.image(mask)?);
        }
        return Ok(Request::Edit(builder.build().map_err(Error::from)?));
    }
    let mut builder = GenerateRequest::builder(prompt).structural_rules(order.structural_rules);
    for (name, text) in &order.parameters {
        builder = builder.set(name, text);
    }
    for (name, text) in &order.extra {
        builder = builder.extra_json(name, &value(text));
    }
    if let Some(output) = &order.output {
        builder = builder.output_format_from(output);
    }
    Ok(Request::Generate(builder.build().map_err(Error::from)?))
}

/// A number, true, null, a list or an object is what it looks like, digit by digit; anything else is text.
fn value(text: &str) -> Cow<'_, str> {
    if serde_json::from_str::<IgnoredAny>(text).is_ok() {
        Cow::from(text)
    } else {
        Cow::from(Value::from(text).to_string())
    }
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
