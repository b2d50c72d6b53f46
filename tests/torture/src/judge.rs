//! The judge: compares the callers' results with the ledger.

use std::collections::{BTreeMap, BTreeSet};

use gptimage_core::{Attempt, Charge, Error, ErrorKind, Generated, Image, Phase};
use gptimage_emulator::LedgerEntry;

use crate::world::KEY;

/// The result of a call.
pub type Outcome = Result<Generated, Error>;

/// The result that a caller received.
#[derive(Debug)]
pub enum Observed {
    /// The call ended with this result.
    Outcome(Box<Outcome>),
    /// The caller had dropped the call.
    CallerGone,
}

/// Everything known about an experiment.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// One entry per call.
    pub observed: &'a [Observed],
    /// The results returned by `collect` afterwards.
    pub collected: &'a [Outcome],
    /// The server's ledger.
    pub ledger: &'a [LedgerEntry],
    /// The image in every response.
    pub picture: &'a [u8],
    /// Maximum number of attempts per call.
    pub max_attempts: u32,
}

/// The judge's counts and complaints.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Calls charged.
    pub charges: u64,
    /// Charges beyond the first of a call.
    pub duplicates: u64,
    /// Charges that no caller was told about.
    pub lost: u64,
    /// Charges for attempts reported as not charged.
    pub wrongly_free: u64,
    /// Client request ids that the server saw.
    pub seen: u64,
    /// Of these, ids that are in an attempt list.
    pub reported: u64,
    /// The remaining ids: their callers had gone, and nothing was charged.
    pub gone: u64,
    /// Descriptions of everything that is wrong.
    pub wrong: Vec<String>,
}

/// Returns the attempts that a result lists.
pub fn attempts(outcome: &Outcome) -> &[Attempt] {
    match outcome {
        Ok(generated) => generated.attempts(),
        Err(error) => error.attempts(),
    }
}

/// Returns the images that a result holds.
pub fn images(outcome: &Outcome) -> &[Image] {
    match outcome {
        Ok(generated) => generated.images(),
        Err(error) => error.generated().map(Generated::images).unwrap_or_default(),
    }
}

/// Compares the callers' results with the ledger.
pub fn judge(evidence: &Evidence<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    let observed = evidence.observed.iter().filter_map(|observed| match observed {
        Observed::Outcome(outcome) => Some(outcome.as_ref()),
        Observed::CallerGone => None,
    });
    let outcomes: Vec<&Outcome> = observed.chain(evidence.collected).collect();
    for outcome in &outcomes {
        judge_outcome(outcome, evidence, &mut judgement.wrong);
    }
    judge_ledger(evidence, &outcomes, &mut judgement);
    judgement
}

/// Checks a result on its own.
fn judge_outcome(outcome: &Outcome, evidence: &Evidence<'_>, wrong: &mut Vec<String>) {
    let attempts = attempts(outcome);
    let mut check = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    check(attempts.len() <= evidence.max_attempts as usize, "more attempts than allowed");
    let ids: BTreeSet<_> = attempts.iter().map(|attempt| &attempt.client_request_id).collect();
    check(ids.len() == attempts.len(), "an id stands twice in an attempt list");
    check((1..).zip(attempts).all(|(number, attempt)| attempt.number == number), "attempts are not numbered in order");
    let (last, before) = attempts.split_last().map_or((None, &[][..]), |(last, before)| (Some(last), before));
    check(before.iter().all(|attempt| attempt.charge == Charge::NotCharged), "tried again without a proof");
    match outcome {
        Ok(generated) => {
            check(last.is_some_and(|last| last.phase == Phase::Stored), "a success that is not stored");
            check(last.is_some_and(|last| last.charge == Charge::Charged), "a success that is not charged");
            check(!generated.images().is_empty(), "a success without a picture");
            for image in generated.images() {
                check(image.read().is_ok_and(|bytes| bytes == evidence.picture), "a success with another picture");
            }
        }
        Err(error) => judge_error(error, &mut check),
    }
    let texts = match outcome {
        Ok(generated) => format!("{generated:?}"),
        Err(error) => format!("{error} {error:?} {:?}", error.response_body()),
    };
    check(!texts.contains(KEY), "the key stands in an outcome");
    check(lines(outcome).iter().all(|line| !line.chars().any(char::is_control)), "a control character in a line");
}

/// Returns the texts that are shown to users unchanged.
fn lines(outcome: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    for attempt in attempts(outcome) {
        let texts = [&attempt.inference_id, &attempt.request_id, &attempt.error];
        lines.extend(texts.into_iter().flatten().cloned());
    }
    let warnings = match outcome {
        Ok(generated) => generated.warnings(),
        Err(error) => {
            lines.push(error.to_string());
            error.generated().map(Generated::warnings).unwrap_or_default()
        }
    };
    lines.extend(warnings.iter().map(ToString::to_string));
    lines
}

fn judge_error(error: &Error, check: &mut impl FnMut(bool, &str)) {
    let worst = error.attempts().iter().map(|attempt| attempt.charge).max().unwrap_or(Charge::NotCharged);
    check(error.charge() == worst, "an error says another charge than its attempts");
    let fitting = match error.kind() {
        ErrorKind::OutcomeUnknown | ErrorKind::Server => error.charge() != Charge::NotCharged,
        ErrorKind::DownloadFailed => error.charge() == Charge::Charged,
        // An early response with a price, or one that cannot be parsed, does not prove that the attempt was free: row
        // 11 of the decision table (`transport/decision.rs` in core).
        ErrorKind::Connection => error.charge() == Charge::NotCharged || error.http_status().is_some(),
        ErrorKind::ResponseInvalid => error.charge() != Charge::NotCharged,
        _ => true,
    };
    check(fitting, "kind and charge of an error do not fit");
    check(error.kind() != ErrorKind::Internal, "an internal error");
}

/// Checks ids and charges against the ledger.
fn judge_ledger(evidence: &Evidence<'_>, outcomes: &[&Outcome], judgement: &mut Judgement) {
    // All attempts that were reported for each id.
    let mut said: BTreeMap<&str, Vec<&Attempt>> = BTreeMap::new();
    for attempt in outcomes.iter().flat_map(|outcome| attempts(outcome)) {
        said.entry(&attempt.client_request_id).or_default().push(attempt);
    }
    let nobody_told = evidence.observed.iter().any(|observed| matches!(observed, Observed::CallerGone));
    let mut seen = BTreeSet::new();
    for entry in evidence.ledger {
        let charged = entry.charge.is_some();
        judgement.charges += u64::from(charged);
        // Ports are reused, so a client of an earlier server may have connected. Such a request has another key; our
        // key is sent before the id.
        if !entry.authorized && !entry.client_request_id.as_deref().is_some_and(|id| said.contains_key(id)) {
            continue;
        }
        // If the head was cut inside its id, the caller is unknown.
        let Some(id) = entry.client_request_id.as_deref() else { continue };
        if !seen.insert(id) {
            judgement.wrong.push(format!("{id} was sent twice"));
        }
        judgement.seen += 1;
        let Some(attempts) = said.get(id) else {
            judge_unsaid(entry, id, nobody_told, &said, judgement);
            continue;
        };
        judgement.reported += 1;
        for attempt in attempts {
            judge_attempt(entry, attempt, judgement);
        }
    }
    for (id, attempts) in &said {
        // An HTTP status proves that a server was there, even if it never read the head as far as the id.
        let unfounded = |attempt: &&Attempt| attempt.charge == Charge::Charged && attempt.http_status.is_none();
        if !seen.contains(id) && attempts.iter().any(unfounded) {
            judgement.wrong.push(format!("{id} is called charged, and no server saw it"));
        }
    }
    // A set, because several results may list the same attempt of a call.
    let charged: BTreeSet<_> =
        evidence.ledger.iter().filter(|entry| entry.charge.is_some()).map(|entry| &entry.client_request_id).collect();
    for outcome in outcomes {
        let paid =
            attempts(outcome).iter().filter(|attempt| charged.contains(&Some(attempt.client_request_id.clone())));
        let beyond = (paid.count() as u64).saturating_sub(1);
        judgement.duplicates += beyond;
        if beyond > 0 {
            judgement.wrong.push("a call was charged more than once".to_owned());
        }
    }
    if judgement.charges > evidence.observed.len() as u64 {
        judgement.wrong.push(format!("{} charges for {} calls", judgement.charges, evidence.observed.len()));
    }
}

/// Judges an id that no result lists.
fn judge_unsaid(
    entry: &LedgerEntry,
    id: &str,
    nobody_told: bool,
    said: &BTreeMap<&str, Vec<&Attempt>>,
    judgement: &mut Judgement,
) {
    // If the head was cut inside the header's value, the ledger has only the beginning of the id.
    let is_part = !entry.arrived_whole && said.keys().any(|known| known.starts_with(id));
    if entry.charge.is_some() {
        judgement.lost += 1;
        judgement.wrong.push(format!("{id} was charged, and nobody was told"));
    } else if is_part {
        judgement.reported += 1;
    } else if nobody_told {
        judgement.gone += 1;
    } else {
        judgement.wrong.push(format!("{id} stands in no attempt list"));
    }
}

fn judge_attempt(entry: &LedgerEntry, attempt: &Attempt, judgement: &mut Judgement) {
    let id = &attempt.client_request_id;
    if attempt.charge == Charge::NotCharged {
        if entry.charge.is_some() {
            judgement.wrongly_free += 1;
            judgement.wrong.push(format!("{id} is called not charged, and was"));
        }
        let refused = attempt.http_status.is_some_and(|status| (400..500).contains(&status));
        if entry.arrived_whole && !refused {
            judgement.wrong.push(format!("{id} arrived whole, and is called not charged"));
        }
    }
    if attempt.bytes_sent < attempt.bytes_total && entry.arrived_whole {
        judgement.wrong.push(format!("{id} was not handed over whole, and arrived whole"));
    }
}
