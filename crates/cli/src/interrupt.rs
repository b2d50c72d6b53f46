//! A call under signals: the first ends what was not sent and waits for what may be paid, a second gives that up.

use std::convert::Infallible;
use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use gptimage_core::{Call, CancelToken, Charge, Client, Error, ErrorKind, Generated};
use tokio::time::{Instant, sleep_until};

use crate::live::Live;
use crate::signals::{Signal, Signals};

/// Signals that come this soon after the first are the same wish told twice: `timeout` sends one to the process and one to its
/// group, a shell and the system both hang up. Nothing invites a second one before that.
const TOLD_TWICE: Duration = Duration::from_millis(300);

/// How a call ended.
pub(crate) enum Ended {
    /// With an outcome of core's, and the last signal that came.
    Outcome(Result<Generated, Error>, Option<Signal>),
    /// By a second signal, before core had said how far it was.
    Abandoned {
        signal: Signal,
        /// Of attempts that may be paid.
        ids: Vec<String>,
    },
}

/// Waits for a call. What was not sent yet ends with the first signal; what may be paid is named and waited for, until
/// another signal gives it up.
pub(crate) async fn interruptible(client: &Client, call: Call, live: &Live, signals: &mut Signals) -> Ended {
    let token = CancelToken::new();
    let mut call = call.cancel(&token).into_future();
    let mut redraw = pin!(live.redraw());
    let first = tokio::select! {
        outcome = &mut call => return Ended::Outcome(outcome, None),
        signal = signals.next() => signal,
        never = &mut redraw => match never {},
    };
    token.cancel();
    let invited = Instant::now() + TOLD_TWICE;
    let outcome = tokio::select! {
        outcome = &mut call => outcome,
        signal = another(signals, invited, true) => {
            let ids = client.watch().running().into_iter().filter_map(|pending| pending.client_request_id).collect();
            return Ended::Abandoned { signal, ids };
        }
        never = &mut redraw => match never {},
    };
    let error = match outcome {
        Err(error) if error.kind() == ErrorKind::Cancelled && error.charge() != Charge::NotCharged => error,
        outcome => return Ended::Outcome(outcome, Some(first)),
    };
    let mut drained = pin!(client.drain());
    let collected = |error| Ended::Outcome(client.collect().pop().unwrap_or(Err(error)), Some(first));
    tokio::select! {
        () = &mut drained => return collected(error),
        () = sleep_until(invited) => {}
        never = swallow(signals) => match never {},
        never = &mut redraw => match never {},
    }
    let id = error.attempts().last().map_or("unknown", |attempt| attempt.client_request_id.as_str());
    let told = live.say(&format!(
        "gptimage: {}, but this call may be paid, as {id}: waiting for it; {} again gives it up",
        if first == Signal::Interrupt { "interrupted" } else { first.name() },
        first.name()
    ));
    tokio::select! {
        () = &mut drained => collected(error),
        signal = another(signals, invited, told) => Ended::Outcome(Err(error), Some(signal)),
        never = &mut redraw => match never {},
    }
}

/// Waits for a signal that is meant as another one. `told`: whether somebody can have read what it would give up; where nobody
/// can, because the terminal is gone, that this is said once more by SIGHUP is no news.
async fn another(signals: &mut Signals, from: Instant, told: bool) -> Signal {
    loop {
        let signal = signals.next().await;
        if Instant::now() >= from && (told || !signal.is_hangup()) {
            return signal;
        }
    }
}

async fn swallow(signals: &mut Signals) -> Infallible {
    loop {
        signals.next().await;
    }
}
