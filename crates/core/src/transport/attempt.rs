//! One charged attempt, from the first byte to pictures that are where they belong.

use std::io;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::deliver::{Delivered, assemble, fetch_missing};
use super::exchange::{Broken, note_head, read_error_body, send};
use super::explain::{Story, explain};
use super::receive::{Received, receive};
use super::retry::{End, Unusable, Verdict, decide, parse_retry_after};
use super::running::Running;
use super::{Http, Plan};
use crate::attempt::{Attempt, Cost, Phase};
use crate::budget::Reservation;
use crate::error::{Charge, Error};
use crate::generated::Generated;
use crate::image::{Image, TargetFile};
use crate::warning::Warning;
use crate::wire::{ErrorBody, header};

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
    file: Option<TargetFile>,
    previous: Vec<Attempt>,
    reservation: Option<Reservation>,
) -> Concluded {
    let mut concluded = match attempt(http, plan, running, file).await {
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
    let verdict = decide(&failed.end, running.reached(), facts.cost.is_positive(), plan.settings.retry_server_errors);
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

async fn attempt(http: &Http, plan: &Plan, running: &Running, file: Option<TargetFile>) -> Result<Generated, Failed> {
    let mut answer = send(http, plan, running).await.map_err(|Broken { end, reason, timed_out, os_error }| {
        let cause = os_error.map(io::Error::from_raw_os_error);
        Failed { timed_out, cause, ..Failed::new(end, reason) }
    })?;
    let mut warnings = Vec::new();
    note_head(&answer, running, &plan.settings.key, &mut warnings);
    if !(200..300).contains(&answer.status()) {
        let body = read_error_body(&mut answer, &plan.settings).await;
        running.gate.close();
        running.update(|facts| {
            facts.request_id = facts.request_id.take().or_else(|| body.request_id.clone());
        });
        let retry_after =
            answer.header(header::RETRY_AFTER).and_then(|text| parse_retry_after(text, SystemTime::now()));
        let end = End::Answered { status: answer.status(), body };
        return Err(Failed { retry_after, ..Failed::new(end, "") });
    }
    let mut received = receive(&mut answer, plan, running, file).await;
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
    let cost = settle_cost(running.snapshot_facts().cost, received.json.cost, &mut warnings);
    running.update(|facts| facts.cost = cost);
    let delivered = assemble(&mut received);
    finish(http, plan, running, received, delivered, warnings).await
}

/// Fetches what is linked, and decides between a success and an error that holds what came.
async fn finish(
    http: &Http,
    plan: &Plan,
    running: &Running,
    received: Received,
    mut delivered: Delivered,
    mut warnings: Vec<Warning>,
) -> Result<Generated, Failed> {
    let mut missing = None;
    if plan.fetch {
        let (reason, unsaved) = fetch_missing(
            http,
            &plan.settings,
            plan.target.as_ref(),
            &mut delivered.images,
            running.received(),
            &mut delivered.warnings,
        )
        .await;
        missing = reason;
        delivered.unsaved = delivered.unsaved.or(unsaved);
    }
    warnings.append(&mut delivered.warnings);
    let cost = running.snapshot_facts().cost;
    let json = received.json;
    let damaged = received.cut.or(json.broken).or(delivered.damage);
    let failed = if let Some(reason) = damaged {
        Some(Failed::new(End::Unusable(Unusable::Damaged), reason))
    } else if delivered.images.is_empty() {
        let reason = match ErrorBody::read(&json.value).message {
            Some(said) if json.is_error => format!("it holds an error instead of pictures: {said}"),
            _ => "it holds no picture".to_owned(),
        };
        Some(Failed::new(End::Unusable(Unusable::Empty { priced: cost.is_positive() }), reason))
    } else if let Some(reason) = missing {
        Some(Failed::new(End::Download, reason))
    } else {
        delivered.unsaved.map(|error| Failed { cause: Some(error), ..Failed::new(End::Storage, "") }).map(|failed| {
            Failed { reason: failed.cause.as_ref().map(crate::text::io_reason).unwrap_or_default(), ..failed }
        })
    };
    if failed.is_none() {
        running.update(|facts| facts.phase = Some(Phase::Stored));
        note_oddities(plan, &delivered.images, cost, &mut warnings);
    }
    let generated = Generated {
        images: delivered.images,
        cost: cost.or_none(),
        attempts: Vec::new(),
        warnings,
        response: json.value,
    };
    match failed {
        None => Ok(generated),
        Some(failed) => {
            let useful = !generated.images.is_empty() || generated.response != Value::Null;
            let response_body = Some(received.excerpt).filter(|_| matches!(failed.end, End::Unusable(_)));
            Err(Failed { generated: useful.then_some(generated), response_body, ..failed })
        }
    }
}

fn links(received: &Received) -> Vec<String> {
    received.json.found.iter().filter(|found| found.payload.is_none()).filter_map(|found| found.url.clone()).collect()
}

/// The larger price of the two, where head and body both state one.
fn settle_cost(head: Cost, body: Cost, warnings: &mut Vec<Warning>) -> Cost {
    let mut larger = |head: Option<crate::Amount>, body: Option<crate::Amount>, unit: &str| {
        if let (Some(head), Some(body)) = (head, body)
            && head != body
        {
            warnings.push(Warning::price_disagrees(&format!("{head} {unit}"), &format!("{body} {unit}")));
        }
        head.max(body)
    };
    Cost { usd: larger(head.usd, body.usd, "USD"), credits: larger(head.credits, body.credits, "credits") }
}

fn note_oddities(plan: &Plan, images: &[Image], cost: Cost, warnings: &mut Vec<Warning>) {
    warnings.extend(plan.parameters.warnings.iter().cloned());
    let (asked, got) = (plan.asked as usize, images.len());
    if got < asked {
        warnings.push(Warning::fewer_images(plan.asked, got));
    } else if got > asked {
        warnings.push(Warning::more_images(plan.asked, got));
    }
    for (index, image) in images.iter().enumerate() {
        warnings.extend(image.compare(index, &plan.parameters));
    }
    if cost.or_none().is_none() {
        warnings.push(Warning::price_missing());
    }
}
