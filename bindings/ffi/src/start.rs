//! Work on the library's threads, and a host's thread that waits for it.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use gptimage_binding::{Job, Order};
use gptimage_core::{CancelToken, Client, Generated};

use crate::error::Failure;
use crate::generated::gptimage_generated_t;
use crate::pointer::hand_over;
use crate::process;
use crate::progress::Listener;

/// What a call ends in.
pub(crate) type Outcome = Result<Generated, Failure>;

/// Runs something on the library's thread and waits for it. A host's thread may have a small stack: what is run is made
/// over there.
pub(crate) fn wait_for<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T, Failure>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (done, result) = mpsc::sync_channel(1);
    process::current()?.background.spawn(async move {
        // Whoever waits is there until it is told.
        let _ = done.send(Box::pin(work()).await);
    });
    result.recv().map_err(|_| Failure::lost())
}

/// Runs something that touches files, where that may block, and waits for it.
pub(crate) fn with_files<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    wait_for(move || async move { tokio::task::spawn_blocking(work).await })?.map_err(|_| Failure::panicked())
}

/// Sends an order and waits for its outcome.
pub(crate) fn send_and_wait(
    client: Client,
    order: Order,
    cancel: Option<CancelToken>,
    listener: Option<Listener>,
) -> Outcome {
    let token = cancel.unwrap_or_default();
    wait_for(move || async move { send(&client, order, &token, listener).await })?
}

async fn send(client: &Client, order: Order, token: &CancelToken, listener: Option<Listener>) -> Outcome {
    let observe = listener.map(|listener| move |progress: &_| listener.tell(progress));
    match order.send(client, token, observe).await {
        Some(outcome) => outcome.map_err(Failure::from),
        None => Err(Failure::cancelled()),
    }
}

/// Sends an order and gives the job that it became.
pub(crate) fn start(client: Client, order: Order, listener: Option<Listener>) -> Result<Job<Outcome>, Failure> {
    let (job, runner) = Job::new(&client, keep);
    process::current()?.background.spawn(async move {
        let teller = runner.teller();
        let observe = move |progress: &_| {
            teller(progress);
            if let Some(listener) = &listener {
                listener.tell(progress);
            }
        };
        let sent = Box::pin(order.send(&client, runner.token(), Some(observe))).await;
        runner.end(sent.map_or_else(|| Err(Failure::cancelled()), |outcome| outcome.map_err(Failure::from)));
    });
    Ok(job)
}

/// Leaves an outcome that nobody takes to `collect`.
pub(crate) fn keep(client: &Client, outcome: Outcome) {
    match outcome {
        Ok(generated) => client.keep(Ok(generated)),
        Err(Failure::Core(error)) => client.keep(Err(error)),
        Err(Failure::Own { .. }) => {}
    }
}

/// Hands an outcome over to the host. One that does not get there is kept: a failure that nobody is `told` of, or a result
/// that cannot be made one of C's, by a fault of ours.
pub(crate) fn deliver(
    outcome: Outcome,
    out: &mut MaybeUninit<*mut gptimage_generated_t>,
    told: bool,
    keep: impl FnOnce(Outcome),
) -> Result<(), Failure> {
    match outcome {
        Ok(generated) => match catch_unwind(AssertUnwindSafe(|| gptimage_generated_t::new(generated.clone()))) {
            Ok(object) => {
                hand_over(out, object);
                Ok(())
            }
            Err(_) => {
                keep(Ok(generated));
                Err(Failure::panicked())
            }
        },
        Err(failure) => {
            if !told {
                keep(Err(failure.clone()));
            }
            Err(failure)
        }
    }
}
