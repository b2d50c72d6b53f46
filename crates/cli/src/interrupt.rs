//! A call that can be interrupted: the first signal cancels a request that was not sent and waits for one that may be charged;
//! a second signal stops waiting.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use gptimage_core::{Call, CancelToken, Charge, Client, Error, ErrorKind, Generated};
use tokio::time::{Instant, sleep_until};

use crate::progress_line::ProgressLine;
use crate::signals::{Signal, Signals};

/// A signal within this time of the first is a duplicate: `timeout` signals both the process and its group, and a shell and
/// the system both send SIGHUP. The user is told of a second signal's effect only afterwards.
const REPEATED_SIGNAL: Duration = Duration::from_millis(300);

/// How an interruptible call ended.
pub(crate) enum CallEnd {
    /// The library's result, and the last signal if there was one.
    Finished(Result<Generated, Error>, Option<Signal>),
    /// A second signal came before the library had reported how far the call was.
    Abandoned {
        signal: Signal,
        /// Client request ids of attempts that may be charged.
        ids: Vec<String>,
    },
}

/// Waits for a call. The first signal cancels it if it was not sent. If it may be charged, its id is printed and the wait
/// continues until another signal.
pub(crate) async fn interruptible(client: &Client, call: Call, line: &ProgressLine, signals: &mut Signals) -> CallEnd {
    let token = CancelToken::new();
    let mut call = call.cancel(&token).send();
    let mut redraw = pin!(line.redraw());
    let first = tokio::select! {
        outcome = &mut call => return CallEnd::Finished(outcome, None),
        signal = signals.next() => signal,
        never = &mut redraw => match never {},
    };
    token.cancel();
    let repeat_until = Instant::now() + REPEATED_SIGNAL;
    let outcome = tokio::select! {
        outcome = &mut call => outcome,
        signal = next_distinct(signals, repeat_until, true) => {
            let ids = client.in_flight().running().into_iter().filter_map(|pending| pending.client_request_id).collect();
            return CallEnd::Abandoned { signal, ids };
        }
        never = &mut redraw => match never {},
    };
    let error = match outcome {
        Err(error) if error.kind() == ErrorKind::Cancelled && error.charge() != Charge::NotCharged => error,
        outcome => return CallEnd::Finished(outcome, Some(first)),
    };
    let mut drained = pin!(client.drain());
    let collected = |error| CallEnd::Finished(client.collect().pop().unwrap_or(Err(error)), Some(first));
    tokio::select! {
        () = &mut drained => return collected(error),
        () = sleep_until(repeat_until) => {}
        never = swallow(signals) => match never {},
        never = &mut redraw => match never {},
    }
    let id = error.attempts().last().map_or("unknown", |attempt| attempt.client_request_id.as_str());
    let printed = line.print(&format!(
        "gptimage: {}, but this call may be paid, as {id}: waiting for it; {} again gives it up",
        if first == Signal::Interrupt { "interrupted" } else { first.name() },
        first.name()
    ));
    tokio::select! {
        () = &mut drained => collected(error),
        signal = next_distinct(signals, repeat_until, printed) => CallEnd::Finished(Err(error), Some(signal)),
        never = &mut redraw => match never {},
    }
}

/// Waits for a signal that is not a duplicate of the first. `printed`: whether the user can have read what a second signal does;
/// if not, because the terminal is gone, another SIGHUP is ignored.
async fn next_distinct(signals: &mut Signals, from: Instant, printed: bool) -> Signal {
    loop {
        let signal = signals.next().await;
        if Instant::now() >= from && (printed || !signal.is_hangup()) {
            return signal;
        }
    }
}

async fn swallow(signals: &mut Signals) -> Infallible {
    loop {
        signals.next().await;
    }
}
