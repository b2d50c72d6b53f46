//! Sending calls and passing their results to the host.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gptimage_binding::{CallSpec, Job};
use gptimage_core::{CancelToken, Client, Generated};

use crate::ffi_error::FfiError;
use crate::generated::gptimage_generated_t;
use crate::pointer::hand_over;
use crate::process;
use crate::progress::ProgressCallback;
use crate::wait::wait_for;

/// The result of a call.
pub(crate) type CallResult = Result<Generated, FfiError>;

/// Sends a call and waits for its result.
pub(crate) fn send_and_wait(
    client: Client,
    spec: CallSpec,
    cancel: Option<CancelToken>,
    listener: Option<ProgressCallback>,
) -> CallResult {
    let token = cancel.unwrap_or_default();
    wait_for(move || async move { send(&client, spec, &token, listener).await })?
}

async fn send(client: &Client, spec: CallSpec, token: &CancelToken, listener: Option<ProgressCallback>) -> CallResult {
    let observe = listener.map(|listener| move |progress: &_| listener.notify(progress));
    match spec.send(client, token, observe).await {
        Some(outcome) => outcome.map_err(FfiError::from),
        None => Err(FfiError::cancelled()),
    }
}

/// Sends a call and returns its job.
pub(crate) fn start(
    client: Client,
    spec: CallSpec,
    listener: Option<ProgressCallback>,
) -> Result<Job<CallResult>, FfiError> {
    let (job, guard) = Job::new(&client, keep);
    process::get_or_start()?.runtime.spawn(async move {
        let observe_job = guard.progress_observer();
        let observe = move |progress: &_| {
            // Before the job wakes: its callback may already find that the call has ended.
            if let Some(listener) = &listener {
                listener.notify(progress);
            }
            observe_job(progress);
        };
        let sent = Box::pin(spec.send(&client, guard.token(), Some(observe))).await;
        guard.finish(sent.map_or_else(|| Err(FfiError::cancelled()), |outcome| outcome.map_err(FfiError::from)));
    });
    Ok(job)
}

/// Stores an outcome that nobody took, so that a later `collect` returns it.
pub(crate) fn keep(client: &Client, outcome: CallResult) {
    match outcome {
        Ok(generated) => client.keep(Ok(generated)),
        Err(FfiError::Core(error)) => client.keep(Err(error)),
        Err(FfiError::Binding { .. }) => {}
    }
}

/// Writes a result to `out`. Calls `keep` with an outcome that does not reach the host: an error if `reported` is false, or a
/// result that cannot be converted because of a bug.
pub(crate) fn write_result(
    outcome: CallResult,
    out: &mut MaybeUninit<*mut gptimage_generated_t>,
    reported: bool,
    keep: impl FnOnce(CallResult),
) -> Result<(), FfiError> {
    match outcome {
        Ok(generated) => match catch_unwind(AssertUnwindSafe(|| gptimage_generated_t::new(generated.clone()))) {
            Ok(object) => {
                hand_over(out, object);
                Ok(())
            }
            Err(_) => {
                keep(Ok(generated));
                Err(FfiError::panicked())
            }
        },
        Err(failure) => {
            if !reported {
                keep(Err(failure.clone()));
            }
            Err(failure)
        }
    }
}
