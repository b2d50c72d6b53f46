//! The result that an attempt hands to the loop.

use std::time::Duration;

use super::attempt_error::AttemptError;
use super::context::CallContext;
use super::decision::{AttemptEnd, Decision, decide};
use super::error_message::error_message;
use crate::attempt::Attempt;
use crate::attempt_state::{AttemptState, SendStage};
use crate::budget::Reservation;
use crate::charge::Charge;
use crate::error::{Error, ErrorKind};
use crate::generated::Generated;
use crate::warning::Warning;

/// Whether another attempt may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    Never,
    /// Another attempt may follow, after at least the pause that the server asked for.
    After {
        retry_after: Option<Duration>,
        /// Whether the upload was cut before it was complete, so that a refusal may have been lost with the connection.
        cut: bool,
    },
}

/// The result of an attempt. The loop keeps the earlier attempts; [`AttemptResult::into_result`] combines them.
#[derive(Debug)]
pub(crate) struct AttemptResult {
    pub(crate) record: Attempt,
    pub(crate) retry: RetryDecision,
    /// The result, without its list of attempts.
    result: Result<Generated, Error>,
}

impl AttemptResult {
    pub(crate) fn success(state: &AttemptState, generated: Generated) -> Self {
        Self { record: state.record(Charge::Charged, None), retry: RetryDecision::Never, result: Ok(generated) }
    }

    /// Creates the result of a failed attempt: decides its charge and writes the message.
    pub(crate) fn failure(context: &CallContext, state: &AttemptState, error: AttemptError) -> Self {
        let AttemptError { end, retry_after, .. } = &error;
        let metadata = state.metadata();
        let stated = metadata.price.stated();
        let decision = decide(end, state.stage(), stated, context.settings.retry_server_errors);
        let message = error_message(&error, decision, metadata.http_status, state.client_request_id());
        let Decision { kind, charge, vendor_says_free, retry } = decision;
        let too_long = retry_after.is_some_and(|pause| pause > context.settings.timers.max_retry_after);
        let retry = if retry && !too_long {
            let lost = matches!(end, AttemptEnd::Lost | AttemptEnd::NotConnected { .. });
            let cut = lost && state.send_guard.progress().handed > 0;
            RetryDecision::After { retry_after: *retry_after, cut }
        } else {
            RetryDecision::Never
        };
        let record = state.record(charge, Some(message.clone()));
        let final_error = Error::new(kind, message)
            .with_charge(charge)
            .with_status(metadata.http_status)
            .with_retry_after(error.retry_after)
            .with_vendor_says_free(vendor_says_free)
            .with_timed_out(error.timed_out)
            .with_response_body(error.response_body)
            .with_kept_answer(error.kept_answer)
            .with_task_id(error.task.map(|task| task.id))
            .with_generated(error.generated);
        let final_error = match error.source {
            Some(source) => final_error.caused_by(source),
            None if !error.reason.is_empty() => final_error.caused_by(error.reason),
            None => final_error,
        };
        Self { record, retry, result: Err(final_error) }
    }

    /// Creates the result of a task that ended without one, because it panicked or its runtime ended.
    pub(crate) fn interrupted(state: &AttemptState) -> Self {
        state.send_guard.close();
        let charge = match state.stage() {
            SendStage::Unsent => Charge::NotCharged,
            SendStage::Sent => Charge::Unknown,
            SendStage::Accepted | SendStage::Located => Charge::Charged,
        };
        let message = format!(
            "the task of this call ended early, by a fault of ours or with its runtime ({charge}); client request id {}",
            state.client_request_id()
        );
        let record = state.record(charge, Some(message.clone()));
        let error = Error::new(ErrorKind::Internal, message).with_charge(charge);
        Self { record, retry: RetryDecision::Never, result: Err(error) }
    }

    /// Replaces the attempt's reservation by its cost. Adds a warning if the cost is higher.
    pub(crate) fn commit(&mut self, reservation: Reservation) {
        let generated = match &mut self.result {
            Ok(generated) => Some(generated),
            Err(error) => error.generated_mut(),
        };
        if let (Some(reserved), Some(generated)) = (reservation.commit(&self.record), generated) {
            generated.warnings.push(Warning::over_budget(reserved));
        }
    }

    /// Returns the result for a caller that stops waiting. With `runs_on` the error is not final, because the attempt
    /// continues.
    pub(crate) fn without_retry(self, runs_on: bool) -> Self {
        let result = self.result.map_err(|error| error.with_call_continues(runs_on));
        Self { result, retry: RetryDecision::Never, ..self }
    }

    /// Returns the result of a call that ends with this attempt. `before` lists the attempts before it.
    pub(crate) fn into_result(self, before: &[Attempt]) -> Result<Generated, Error> {
        let mut attempts = before.to_vec();
        attempts.push(self.record);
        match self.result {
            Ok(generated) => Ok(Generated { attempts, ..generated }),
            Err(mut error) => {
                if let Some(generated) = error.generated_mut() {
                    generated.attempts.clone_from(&attempts);
                }
                Err(error.with_attempts(attempts))
            }
        }
    }
}
