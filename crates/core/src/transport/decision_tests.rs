//! The decision table of charge safety, row by row.

use super::{AttemptEnd, Unusable, Verdict, decide};
use crate::attempt::SendStage;
use crate::charge::Charge::{self, Charged, NotCharged, Unknown};
use crate::error::ErrorKind::{self, *};
use crate::wire::{ErrorBody, Stated};

fn check(row: &str, end: AttemptEnd, stage: SendStage, kind: ErrorKind, charge: Charge, retry: bool) {
    let verdict = decide(&end, stage, Stated::Nothing, false);
    let free = verdict.vendor_says_free;
    assert_eq!(verdict, Verdict { kind, charge, retry, vendor_says_free: free }, "row {row}: {end:?} at {stage:?}");
    assert_eq!(free, kind == Server, "row {row}: only the vendor's own 5xx is called free");
    assert!(!retry || charge == NotCharged, "row {row}: nothing that may be charged is repeated by default");
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
fn a_stated_price_is_believed_whatever_the_status() {
    for end in [answered(400), answered(429), answered(502), vendor(500)] {
        let verdict = decide(&end, SendStage::Sent, Stated::Positive, true);
        assert_eq!((verdict.charge, verdict.retry, verdict.vendor_says_free), (Charged, false, false), "{end:?}");
    }
    let end = AttemptEnd::Unusable(Unusable::Empty);
    let verdict = decide(&end, SendStage::Accepted, Stated::Positive, false);
    assert_eq!((verdict.kind, verdict.charge), (ResponseInvalid, Charged));
}

#[test]
fn a_price_that_cannot_be_read_may_be_one() {
    for stage in [SendStage::Unsent, SendStage::Sent] {
        for end in [answered(400), answered(401), answered(429), answered(502), vendor(500)] {
            let verdict = decide(&end, stage, Stated::Unreadable, true);
            assert_eq!((verdict.charge, verdict.retry, verdict.vendor_says_free), (Unknown, false, false), "{end:?}");
        }
    }
    let verdict = decide(&AttemptEnd::Unusable(Unusable::Empty), SendStage::Accepted, Stated::Unreadable, true);
    assert_eq!((verdict.charge, verdict.retry), (Unknown, false));
}

#[test]
fn rows_7_and_8_silence_after_sending_is_never_repeated() {
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
        check("9", AttemptEnd::Unusable(Unusable::Empty), stage, ResponseInvalid, Unknown, false);
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
