//! `gptimage generate` and `gptimage edit`: builds the request, sends it and writes the images.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use gptimage_core::{Budget, Client, ClientBuilder, Error, ErrorKind, Request, SaveTo};
use gptimage_emulator::Emulator;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::connection;
use crate::destination::{Destination, Opened, Stream};
use crate::early_exit::EarlyExit;
use crate::hint::Hints;
use crate::interrupt::{CallEnd, interruptible};
use crate::print;
use crate::progress_line::ProgressLine;
use crate::report::CommandResult;
use crate::request_args::RequestArgs;
use crate::signals::{Signals, run_blocking};
use crate::stdin::Stdin;
use crate::stdio;
use crate::write_images::{save_fallback, write_images};

/// How long to wait for a FIFO's reader before a message says so.
const WAITING_NOTICE_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

/// Runs `generate` or `edit`.
pub(crate) async fn run(args: RequestArgs, signals: &mut Signals, hints: &mut Hints) -> CommandResult {
    let emulator = if args.emulator && !args.dry_run {
        match Emulator::builder().start().await {
            Ok(emulator) => Some(emulator),
            Err(error) => return CommandResult::Refused(ErrorKind::Io, format!("the emulator cannot start: {error}")),
        }
    } else {
        None
    };
    send(Arc::new(args), emulator.as_ref(), signals, hints).await.unwrap_or_else(CommandResult::from)
}

/// The output of a dry run. Does not read standard input.
pub(crate) fn preview(mut args: RequestArgs) -> String {
    args.dry_run = true;
    if reads_stdin(&args) {
        return "standard input is read".to_owned();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let (mut signals, mut hints) = (Signals::none(), Hints::default());
    let args = Arc::new(args);
    match runtime.map(|runtime| runtime.block_on(send(args, None, &mut signals, &mut hints))) {
        Ok(Ok(CommandResult::DryRun(text))) => text,
        Ok(Ok(_)) => String::new(),
        Ok(Err(EarlyExit::Misused(message) | EarlyExit::Unusable(message))) => message,
        Ok(Err(EarlyExit::Error(error))) => error.to_string(),
        Ok(Err(EarlyExit::Signal(signal))) => signal.name().to_owned(),
        Err(error) => error.to_string(),
    }
}

async fn send(
    args: Arc<RequestArgs>,
    emulator: Option<&Emulator>,
    signals: &mut Signals,
    hints: &mut Hints,
) -> Result<CommandResult, EarlyExit> {
    let destination = Destination::of(args.output.as_deref())?;
    check_output(&args, &destination)?;
    let request = if args.dry_run && !reads_stdin(&args) {
        build(&args)?
    } else {
        // Reading may block; signals must be handled meanwhile.
        let args = args.clone();
        signals.or(run_blocking(move || build(&args))).await?.ok_or_else(ended_early)??
    };
    let mut builder = client_builder(&args, emulator);
    if let Some((max_usd, per_call)) = &args.max_usd {
        builder = builder.budget(&Budget::parse(max_usd, per_call.as_deref())?);
    }
    let client = builder.build()?;
    hints.base_url(client.base_url());
    connection::print_notes(&client);
    let mut call = client.call(request).deadline(args.deadline);
    if let Destination::Files(path) = &destination {
        call = call.save_to(SaveTo::from(path).overwrite(args.overwrite));
    }
    if args.dry_run {
        return Ok(CommandResult::DryRun(call.dry_run()?));
    }
    let mut stream = None;
    if let Destination::Stream(named) = destination {
        stream = Some((open(&named, &args, signals).await?, named));
    }
    let line = ProgressLine::start();
    let updated = line.clone();
    let call = call.progress(move |progress| updated.update(progress));
    let ended = interruptible(&client, call, &line, signals).await;
    line.clear();
    Ok(match ended {
        CallEnd::Finished(Ok(generated), _) => {
            CommandResult::Generated(Box::new(write_images(generated, stream, signals).await))
        }
        CallEnd::Finished(Err(error), signal) => {
            CommandResult::Failed { fallback: save_fallback(&error), error: Box::new(error), signal }
        }
        CallEnd::Abandoned { signal, ids } => CommandResult::Interrupted { signal, ids },
    })
}

fn ended_early() -> EarlyExit {
    EarlyExit::Unusable("a bug in gptimage: the inputs could not be read; nothing was sent".to_owned())
}

fn reads_stdin(args: &RequestArgs) -> bool {
    let piped = |path: &PathBuf| Stdin::is_dash(path);
    Stdin::is_dash(&args.prompt) || args.images.iter().chain(&args.mask).any(piped)
}

/// Checks that the output can take the images and that standard output can take what will be printed.
fn check_output(args: &RequestArgs, destination: &Destination) -> Result<(), EarlyExit> {
    if let Destination::Stream(stream) = destination {
        let name = args.output.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        if args.json && *stream == Stream::Stdout {
            return Err(format!("-o {name} and --json both write to standard output; choose one").into());
        }
        if args.parameters.iter().any(|(name, value)| *name == "n" && value.trim() != "1") {
            return Err(format!("-o {name} takes one picture; for several give a folder").into());
        }
        if !args.dry_run {
            stream.check_not_terminal()?;
        }
    }
    let prints = args.json || !matches!(destination, Destination::Stream(Stream::Path(_)));
    match stdio::stdout_error().filter(|_| prints && !args.dry_run) {
        None => Ok(()),
        Some(error) if destination.is_stdout() => Err(EarlyExit::Unusable(format!(
            "standard output cannot be written to: {error}; nothing was sent. Give a file with -o"
        ))),
        Some(error) => Err(EarlyExit::Unusable(format!(
            "standard output cannot be written to: {error}; nothing was sent. What is made is named there: send it to a file, \
             or to /dev/null"
        ))),
    }
}

/// Opens a stream before money is spent. Waits until a FIFO has a reader.
async fn open(stream: &Stream, args: &RequestArgs, signals: &mut Signals) -> Result<Opened, EarlyExit> {
    let named = stream.clone();
    let opening = async {
        let mut opening = std::pin::pin!(run_blocking(move || named.open()));
        tokio::select! {
            opened = &mut opening => return Some(opened),
            () = tokio::time::sleep(WAITING_NOTICE_AFTER) => {}
        }
        print::to_stderr(format_args!("gptimage: waiting for somebody to read {}", stream.name()));
        match args.deadline {
            Some(deadline) => tokio::time::timeout(deadline, opening).await.ok(),
            None => Some(opening.await),
        }
    };
    match signals.or(opening).await? {
        Some(Some(opened)) => opened.map_err(EarlyExit::Unusable),
        Some(None) => Err(ended_early()),
        None => Err(EarlyExit::Unusable(format!("nobody reads {}; nothing was sent", stream.name()))),
    }
}

fn build(args: &RequestArgs) -> Result<Request, EarlyExit> {
    let mut stdin = Stdin::default();
    let mut builder =
        Request::builder(args.operation, stdin.prompt(&args.prompt)?).structural_rules(args.structural_rules);
    for image in &args.images {
        builder = builder.image(stdin.image(image)?);
    }
    if let Some(mask) = &args.mask {
        builder = builder.mask(stdin.image(mask)?);
    }
    for (name, text) in &args.parameters {
        builder = builder.set(name, text);
    }
    for (name, text) in &args.extra {
        builder = builder.extra_json(name, &value(text));
    }
    if let Some(output) = &args.output {
        builder = builder.output_format_from(output);
    }
    Ok(builder.build().map_err(Error::from)?)
}

/// The JSON of an `--extra` value: JSON text as it is, digit by digit, or else a JSON string.
fn value(text: &str) -> Cow<'_, str> {
    if serde_json::from_str::<IgnoredAny>(text).is_ok() {
        Cow::from(text)
    } else {
        Cow::from(Value::from(text).to_string())
    }
}

fn client_builder(args: &RequestArgs, emulator: Option<&Emulator>) -> ClientBuilder<Client> {
    let builder = args.builder.clone();
    match emulator {
        Some(emulator) => builder.api_key(emulator.key()).base_url(emulator.base_url()),
        // A dry run shows no key, so it needs none.
        None if args.dry_run => builder.api_key("not-sent"),
        None => builder,
    }
}
