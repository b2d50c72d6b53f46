//! Tests of the decision table for charges, row by row.

use std::collections::BTreeSet;

use super::{AttemptEnd, Decision, Unusable, decide};
use crate::attempt_state::SendStage;
use crate::charge::Charge::{self, Charged, NotCharged, Unknown};
use crate::error::ErrorKind::{self, *};
use crate::wire::{ErrorBody, Stated};

/// The page that contains the table, and the code and tests that cite its rows.
const PAGE: &str = include_str!("../../../../docs/charges.md");
const CODE: &str = include_str!("decision.rs");
const TESTS: &str = include_str!("decision_tests.rs");
const TESTS_OVER_SOCKETS: &str = include_str!("../../tests/transport/decisions.rs");

/// A row of the documented table.
struct Row {
    number: u32,
    /// The kinds of error. Empty if the row refers to those of another row.
    kinds: Vec<&'static str>,
    charges: Vec<&'static str>,
    retries: Vec<&'static str>,
}

fn table() -> Vec<Row> {
    let (_, table) = PAGE.split_once("| row |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    let rows = rows.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [number, _, kinds, charges, retries] = cells[..] else { panic!("five cells: {line}") };
        Row {
            number: number.parse().unwrap(),
            kinds: kinds.split('`').skip(1).step_by(2).collect(),
            charges: charges.split('`').skip(1).step_by(2).collect(),
            retries: retries.split(", ").collect(),
        }
    });
    rows.collect()
}

/// Returns the rows that a text cites after this word, as in `Rows 1 and 7`.
fn cited(text: &str, word: &str) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    for (at, _) in text.match_indices(word) {
        let line = text[at + word.len()..].lines().next().unwrap_or_default();
        let tokens = line.split(|char: char| !char.is_ascii_alphanumeric());
        let mut tokens = tokens.filter(|token| !token.is_empty() && *token != "s");
        while let Some(Ok(number)) = tokens.next().map(str::parse) {
            numbers.insert(number);
            if tokens.next() != Some("and") {
                break;
            }
        }
    }
    numbers
}

#[test]
fn the_documented_rows_are_those_that_code_and_tests_cite() {
    let documented: BTreeSet<u32> = table().iter().map(|row| row.number).collect();
    assert_eq!(documented, (1..=11).collect(), "numbered without a gap");
    assert_eq!(cited(&CODE.replace("row ", "Row ").replace("rows ", "Row "), "Row"), documented, "in decision.rs");
    assert_eq!(cited(&TESTS.replace("check_priced(", "check("), "check(\""), documented, "in this file");
    let over_sockets = cited(TESTS_OVER_SOCKETS, "fn row_");
    assert!(over_sockets.is_subset(&documented) && over_sockets.len() == 10, "{over_sockets:?}");
}

/// Compares a decision with the expectation of the test and with the documented table.
fn check_priced(
    row: &str,
    end: AttemptEnd,
    stage: SendStage,
    stated: Stated,
    kind: ErrorKind,
    charge: Charge,
    retry: bool,
) {
    let decision = decide(&end, stage, stated, false);
    let free = decision.vendor_says_free;
    assert_eq!(decision, Decision { kind, charge, retry, vendor_says_free: free }, "row {row}: {end:?} at {stage:?}");
    assert_eq!(
        free,
        kind == Server && stated == Stated::Nothing,
        "row {row}: only the vendor's own 5xx is called free"
    );
    assert!(!retry || charge == NotCharged, "row {row}: nothing that may be charged is repeated by default");

    let number: u32 = row.split(',').next().unwrap().parse().unwrap();
    let documented = table().into_iter().find(|row: &Row| row.number == number).unwrap();
    let is_documented = |documented: &[&str], value: &str| assert!(documented.contains(&value), "row {row}: {value}");
    if !documented.kinds.is_empty() {
        is_documented(&documented.kinds, kind.as_str());
    }
    is_documented(&documented.charges, charge.as_str());
    is_documented(&documented.retries, if retry { "yes" } else { "no" });
}

fn check(row: &str, end: AttemptEnd, stage: SendStage, kind: ErrorKind, charge: Charge, retry: bool) {
    check_priced(row, end, stage, Stated::Nothing, kind, charge, retry);
}

fn answered(status: u16) -> AttemptEnd {
    AttemptEnd::Answered { status, body: ErrorBody::default() }
}

fn vendor(status: u16) -> AttemptEnd {
    AttemptEnd::Answered { status, body: ErrorBody { vendor_envelope: true, ..ErrorBody::default() } }
}

#[test]
fn rows_1_and_2_not_delivered_is_not_charged_and_tried_again() {
    check("1", AttemptEnd::NotConnected { permanent: false }, SendStage::Unsent, Connection, NotCharged, true);
    check(
        "1, until somebody changes something",
        AttemptEnd::NotConnected { permanent: true },
        SendStage::Unsent,
        Connection,
        NotCharged,
        false,
    );
    check("2", AttemptEnd::Lost, SendStage::Unsent, Connection, NotCharged, true);
    check("2, a timer of the caller's", AttemptEnd::Deadline, SendStage::Unsent, Connection, NotCharged, false);
    check("2, the caller's wish", AttemptEnd::Cancelled, SendStage::Unsent, Cancelled, NotCharged, false);
    check("2, an input is broken", AttemptEnd::Input, SendStage::Unsent, Io, NotCharged, false);
    for status in [301, 408, 499, 500, 502, 503, 504, 520, 530] {
        check("2, an early answer", answered(status), SendStage::Unsent, Connection, NotCharged, true);
        check("2, an early answer", vendor(status), SendStage::Unsent, Connection, NotCharged, true);
    }
}

#[test]
fn row_3_a_rate_limit_is_tried_again() {
    for stage in [SendStage::Unsent, SendStage::Sent] {
        check("3", answered(429), stage, RateLimited, NotCharged, true);
    }
}

#[test]
fn row_4_a_refusal_is_final_and_free() {
    for stage in [SendStage::Unsent, SendStage::Sent] {
        check("4", answered(400), stage, BadRequest, NotCharged, false);
        check("4", answered(401), stage, Authentication, NotCharged, false);
        check("4", answered(403), stage, PermissionDenied, NotCharged, false);
        check("4", answered(404), stage, NotFound, NotCharged, false);
        check("4", answered(402), stage, InsufficientCredits, NotCharged, false);
        for status in [405, 409, 413, 415, 422, 451] {
            check("4", answered(status), stage, BadRequest, NotCharged, false);
        }
        let credits = ErrorBody { out_of_credits: true, ..ErrorBody::default() };
        for status in [400, 401, 403, 404, 422, 429] {
            let end = AttemptEnd::Answered { status, body: credits.clone() };
            check("4", end, stage, InsufficientCredits, NotCharged, false);
        }
        let passing = ErrorBody { limit_passes: true, ..credits };
        check("3", AttemptEnd::Answered { status: 429, body: passing }, stage, RateLimited, NotCharged, true);
        let moderation = ErrorBody { moderation: true, ..ErrorBody::default() };
        for status in [400, 403, 422] {
            let end = AttemptEnd::Answered { status, body: moderation.clone() };
            check("4", end, stage, ModerationBlocked, NotCharged, false);
        }
    }
}

#[test]
fn row_5_the_vendors_word_is_no_proof() {
    for status in [500, 502, 503, 504] {
        check("5", vendor(status), SendStage::Sent, Server, Unknown, false);
        assert!(
            decide(&vendor(status), SendStage::Sent, Stated::Nothing, true).retry,
            "unless the caller says so in words"
        );
    }
}

#[test]
fn row_6_an_answer_that_proves_nothing_is_never_repeated() {
    for status in [301, 302, 303, 307, 308, 408, 499, 500, 502, 503, 504, 520, 521, 527, 530, 599, 999] {
        check("6", answered(status), SendStage::Sent, OutcomeUnknown, Unknown, false);
        assert!(!decide(&answered(status), SendStage::Sent, Stated::Nothing, true).retry);
    }
    for status in [501, 520, 527] {
        check("6, whoever says so", vendor(status), SendStage::Sent, OutcomeUnknown, Unknown, false);
    }
}

#[test]
fn row_11_a_stated_price_is_believed_whatever_the_status() {
    for (end, kind) in [(answered(400), BadRequest), (answered(429), RateLimited), (vendor(500), Server)] {
        for (stated, charge) in [(Stated::Positive, Charged), (Stated::Unreadable, Unknown)] {
            check_priced("11", end.clone(), SendStage::Sent, stated, kind, charge, false);
        }
    }
    for end in [answered(400), answered(429), answered(502), vendor(500)] {
        let decision = decide(&end, SendStage::Sent, Stated::Positive, true);
        assert_eq!((decision.charge, decision.retry, decision.vendor_says_free), (Charged, false, false), "{end:?}");
    }
    let end = AttemptEnd::Unusable(Unusable::NoImages);
    let decision = decide(&end, SendStage::Accepted, Stated::Positive, false);
    assert_eq!((decision.kind, decision.charge), (ResponseInvalid, Charged));
}

#[test]
fn a_price_that_cannot_be_read_may_be_one() {
    for stage in [SendStage::Unsent, SendStage::Sent] {
        for end in [answered(400), answered(401), answered(429), answered(502), vendor(500)] {
            let decision = decide(&end, stage, Stated::Unreadable, true);
            // Threat: odd-price
            assert_eq!(
                (decision.charge, decision.retry, decision.vendor_says_free),
                (Unknown, false, false),
                "{end:?}"
            );
        }
    }
    let decision = decide(&AttemptEnd::Unusable(Unusable::NoImages), SendStage::Accepted, Stated::Unreadable, true);
    assert_eq!((decision.charge, decision.retry), (Unknown, false));
}

#[test]
fn rows_7_and_8_silence_after_sending_is_never_repeated() {
    // Threat: paid-twice
    check("7", AttemptEnd::Lost, SendStage::Sent, OutcomeUnknown, Unknown, false);
    check("7", AttemptEnd::NotConnected { permanent: false }, SendStage::Sent, OutcomeUnknown, Unknown, false);
    check("7", AttemptEnd::NotConnected { permanent: true }, SendStage::Sent, OutcomeUnknown, Unknown, false);
    check("8", AttemptEnd::Deadline, SendStage::Sent, OutcomeUnknown, Unknown, false);
    check("8", AttemptEnd::Cancelled, SendStage::Sent, Cancelled, Unknown, false);
}

#[test]
fn row_9_a_broken_success_is_paid() {
    for stage in [SendStage::Accepted, SendStage::Located] {
        check("9", AttemptEnd::Unusable(Unusable::Damaged), stage, ResponseInvalid, Charged, false);
        check("9", AttemptEnd::Unusable(Unusable::NoImages), stage, ResponseInvalid, Unknown, false);
        check("9, cancelled", AttemptEnd::Cancelled, stage, Cancelled, Charged, false);
        check("9, not written", AttemptEnd::Storage, stage, Io, Charged, false);
    }
    check("9, deadline", AttemptEnd::Deadline, SendStage::Accepted, ResponseInvalid, Charged, false);
}

#[test]
fn row_10_a_link_in_hand_is_paid() {
    check("10", AttemptEnd::Download, SendStage::Located, DownloadFailed, Charged, false);
    check("10, deadline", AttemptEnd::Deadline, SendStage::Located, DownloadFailed, Charged, false);
}
