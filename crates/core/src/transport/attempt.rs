//! One charged attempt, from the first byte to pictures that are where they belong.

use std::io;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::deliver::{Delivered, Fetch, assemble};
use super::exchange::{Broken, note_head, read_bounded, send};
use super::explain::{Story, explain};
use super::receive::{Received, receive};
use super::retry::{End, Unusable, Verdict, decide, parse_retry_after};
use super::running::Running;
use super::{Http, KeptAnswer, Plan};
use crate::attempt::{Attempt, Phase};
use crate::budget::Reservation;
use crate::error::{Charge, Error};
use crate::generated::Generated;
use crate::image::{Image, Location, TargetFile};
use crate::warning::Warning;
use crate::wire::{ERROR_BODY_MAX, ErrorBody, Price, Task, header};

/// How an attempt ended, for the loop around it.
#[derive(Debug)]
pub(crate) struct Concluded {
    pub(crate) result: Result<Generated, Error>,
    pub(crate) again: Again,
}

/// Whether another attempt may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Never,
    /// After at least the time that the server asks for. `cut`: the upload was cut before it was whole, and an answer
    /// may have been lost.
    After {
        retry_after: Option<Duration>,
        cut: bool,
    },
}

/// A failure before it is judged.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) end: End,
    pub(crate) reason: String,
    pub(crate) timed_out: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) response_body: Option<String>,
    pub(crate) kept: Option<KeptAnswer>,
    pub(crate) task: Option<Task>,
    pub(crate) generated: Option<Generated>,
    pub(crate) cause: Option<io::Error>,
}

impl Failed {
    pub(crate) fn new(end: End, reason: impl Into<String>) -> Self {
        Self {
            end,
            reason: reason.into(),
            timed_out: false,
            retry_after: None,
            response_body: None,
            kept: None,
            task: None,
            generated: None,
            cause: None,
        }
    }
}

/// Runs an attempt to its end. `previous` are the attempts before it.
pub(crate) async fn run(
    http: &Http,
    plan: &Plan,
    running: &Running,
    files: Vec<TargetFile>,
    previous: Vec<Attempt>,
    reservation: Option<Reservation>,
) -> Concluded {
    let mut concluded = match attempt(http, plan, running, files).await {
        Ok(mut generated) => {
            generated.attempts = with_record(previous, running.record(Charge::Charged, None));
            Concluded { result: Ok(generated), again: Again::Never }
        }
        Err(failed) => conclude(plan, running, failed, previous),
    };
    if let Some(reservation) = reservation {
        settle(reservation, &mut concluded);
    }
    concluded
}

/// Settles the attempt's part of the budget; what cost more than it may is told of.
fn settle(reservation: Reservation, concluded: &mut Concluded) {
    let (attempts, generated) = match &mut concluded.result {
        Ok(generated) => (generated.attempts.as_slice().last().cloned(), Some(generated)),
        Err(error) => (error.attempts().last().cloned(), error.generated_mut()),
    };
    let Some(attempt) = attempts else { return };
    if let (Some(reserved), Some(generated)) = (reservation.settle(&attempt), generated) {
        generated.warnings.push(Warning::over_budget(reserved));
    }
}

fn with_record(mut attempts: Vec<Attempt>, record: Attempt) -> Vec<Attempt> {
    attempts.push(record);
    attempts
}

/// Judges a failure and writes the error.
pub(crate) fn conclude(plan: &Plan, running: &Running, failed: Failed, previous: Vec<Attempt>) -> Concluded {
    let facts = running.snapshot_facts();
    let verdict = decide(&failed.end, running.reached(), facts.price.stated(), plan.settings.retry_server_errors);
    let message = explain(&Story {
        end: &failed.end,
        verdict,
        facts: &facts,
        client_request_id: running.client_request_id(),
        reason: &failed.reason,
        retry_after: failed.retry_after,
    });
    let Verdict { kind, charge, vendor_says_free, retry } = verdict;
    let attempts = with_record(previous, running.record(charge, Some(message.clone())));
    let generated = failed.generated.map(|mut generated| {
        generated.attempts.clone_from(&attempts);
        generated
    });
    let mut error = Error::new(kind, message)
        .with_charge(charge)
        .with_status(facts.http_status)
        .with_retry_after(failed.retry_after)
        .with_vendor_says_free(vendor_says_free)
        .with_timed_out(failed.timed_out)
        .with_response_body(failed.response_body)
        .with_kept_answer(failed.kept)
        .with_task_id(failed.task.map(|task| task.id))
        .with_attempts(attempts)
        .with_generated(generated);
    match failed.cause {
        Some(cause) => error = error.caused_by(cause),
        None if !failed.reason.is_empty() => error = error.caused_by(failed.reason),
        None => {}
    }
    let too_long = failed.retry_after.is_some_and(|wait| wait > plan.settings.timers.retry_after_longest);
    let again = if retry && !too_long {
        let cut = matches!(failed.end, End::Lost | End::NotConnected) && running.gate.look().handed > 0;
        Again::After { retry_after: failed.retry_after, cut }
    } else {
        Again::Never
    };
    Concluded { result: Err(error), again }
}

async fn attempt(http: &Http, plan: &Plan, running: &Running, files: Vec<TargetFile>) -> Result<Generated, Failed> {
    let mut answer = send(http, plan, running).await.map_err(|Broken { end, reason, timed_out, os_error }| {
        let cause = os_error.map(io::Error::from_raw_os_error);
        Failed { timed_out, cause, ..Failed::new(end, reason) }
    })?;
    let mut warnings = Vec::new();
    note_head(&answer, running, &plan.settings.key, &mut warnings);
    if !(200..300).contains(&answer.status()) {
        let (key, limit) = (&plan.settings.key, plan.settings.timers.body_stall);
        let body = read_bounded(&mut answer, limit, ERROR_BODY_MAX).await;
        running.gate.close();
        let price = Price::from_body(&body, key, &mut warnings);
        let body = ErrorBody::parse(&body, key);
        running.update(|facts| {
            facts.price = facts.price.larger(price, &mut warnings);
            facts.request_id = facts.request_id.take().or_else(|| body.request_id.clone());
        });
        let retry_after =
            answer.header(header::RETRY_AFTER).and_then(|text| parse_retry_after(text, SystemTime::now()));
        let end = End::Answered { status: answer.status(), body };
        return Err(Failed { retry_after, ..Failed::new(end, "") });
    }
    let mut received = receive(&mut answer, plan, running, files).await;
    running.gate.close();
    if received.cut.is_none() {
        running.update(|facts| {
            facts.phase = Some(Phase::BodyComplete);
            if plan.fetch {
                facts.urls = links(&received);
            }
        });
    }
    warnings.append(&mut received.json.warnings);
    running.update(|facts| facts.price = facts.price.larger(received.json.price, &mut warnings));
    let delivered = assemble(&mut received);
    finish(http, plan, running, received, delivered, warnings).await
}

/// Fetches what is linked, and decides between a success and an error that holds what came.
async fn finish(
    http: &Http,
    plan: &Plan,
    running: &Running,
    mut received: Received,
    mut delivered: Delivered,
    mut warnings: Vec<Warning>,
) -> Result<Generated, Failed> {
    let mut missing = None;
    let doubtful = delivered.doubtful;
    if plan.fetch {
        let fetch = Fetch {
            http,
            settings: &plan.settings,
            target: plan.target.as_ref(),
            files: std::mem::take(&mut received.files),
            asked: plan.asked as usize,
            doubtful,
            received: running.received(),
        };
        let fetched = fetch.all(&mut delivered.images, &mut delivered.warnings).await;
        missing = fetched.missing;
        received.files = fetched.files;
        delivered.unsaved = delivered.unsaved.or(fetched.unsaved);
    }
    warnings.append(&mut delivered.warnings);
    let price = running.snapshot_facts().price;
    let only_doubtful = doubtful && delivered.images.iter().all(|image| matches!(image.location(), Location::Url));
    let damaged = received.cut.take().or(received.json.broken.take()).or(delivered.damage.take());
    let failed = if received.json.foreign || (damaged.is_none() && (delivered.images.is_empty() || only_doubtful)) {
        Some(Failed::new(End::Unusable(Unusable::Empty), received.describe_nothing(&plan.settings.key)))
    } else if let Some(reason) = damaged {
        Some(Failed::new(End::Unusable(Unusable::Damaged), reason))
    } else if let Some(reason) = missing {
        Some(Failed::new(End::Download, reason))
    } else {
        delivered.unsaved.map(|error| Failed { cause: Some(error), ..Failed::new(End::Storage, "") }).map(|failed| {
            Failed { reason: failed.cause.as_ref().map(crate::text::io_reason).unwrap_or_default(), ..failed }
        })
    };
    if failed.is_none() {
        running.update(|facts| facts.phase = Some(Phase::Stored));
        note_oddities(plan, &delivered.images, &price, &mut warnings);
    }
    let unusable = failed.as_ref().is_some_and(|failed| matches!(failed.end, End::Unusable(_)));
    let excerpt = unusable.then(|| received.excerpt(&plan.settings.key));
    let kept = if unusable { received.keep(&plan.settings.key).await } else { None };
    let generated = Generated {
        images: delivered.images,
        cost: price.known().or_none(),
        attempts: Vec::new(),
        warnings,
        response: received.json.value,
    };
    match failed {
        None => Ok(generated),
        Some(mut failed) => {
            let useful = !generated.images.is_empty() || generated.response != Value::Null;
            if let Some(KeptAnswer::File(path)) = &kept {
                failed.reason = format!("{}; the whole answer is in {}", failed.reason, crate::text::path(path));
            }
            let response_body = excerpt;
            let task = received.json.task.filter(|_| unusable);
            Err(Failed { generated: useful.then_some(generated), response_body, kept, task, ..failed })
        }
    }
}

fn links(received: &Received) -> Vec<String> {
    received
        .json
        .found
        .iter()
        .filter(|found| found.payload.is_none() && !found.doubtful)
        .filter_map(|found| found.url.clone())
        .collect()
}

fn note_oddities(plan: &Plan, images: &[Image], price: &Price, warnings: &mut Vec<Warning>) {
    warnings.extend(plan.request.warnings().iter().cloned());
    let (asked, got) = (plan.asked as usize, images.len());
    if got < asked {
        warnings.push(Warning::fewer_images(plan.asked, got));
    } else if got > asked {
        warnings.push(Warning::more_images(plan.asked, got));
    }
    for (index, image) in images.iter().enumerate() {
        warnings.extend(image.compare(index, plan.request.parameters()));
    }
    if price.known().or_none().is_none() {
        warnings.push(Warning::price_missing());
    }
}
