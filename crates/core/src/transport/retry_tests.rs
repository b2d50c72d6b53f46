//! The decision table of charge safety, row by row.

use std::time::{Duration, SystemTime};

use super::{End, Reached, Unusable, Verdict, decide, parse_retry_after, wait};
use crate::error::Charge::{self, Charged, NotCharged, Unknown};
use crate::error::ErrorKind::{self, *};
use crate::wire::{ErrorBody, Stated};

fn check(row: &str, end: End, reached: Reached, kind: ErrorKind, charge: Charge, retry: bool) {
    let verdict = decide(&end, reached, Stated::Nothing, false);
    let free = verdict.vendor_says_free;
    assert_eq!(verdict, Verdict { kind, charge, retry, vendor_says_free: free }, "row {row}: {end:?} at {reached:?}");
    assert_eq!(free, kind == Server, "row {row}: only the vendor's own 5xx is called free");
    assert!(!retry || charge == NotCharged, "row {row}: nothing that may be charged is repeated by default");
}

fn answered(status: u16) -> End {
    End::Answered { status, body: ErrorBody::default() }
}

fn vendor(status: u16) -> End {
    End::Answered { status, body: ErrorBody { vendor_envelope: true, ..ErrorBody::default() } }
}

#[test]
fn rows_1_and_2_not_delivered_is_not_charged_and_tried_again() {
    check("1", End::NotConnected, Reached::Unsent, Connection, NotCharged, true);
    check("1, until somebody changes something", End::Barred, Reached::Unsent, Connection, NotCharged, false);
    check("2", End::Lost, Reached::Unsent, Connection, NotCharged, true);
    check("2, a timer of the caller's", End::Deadline, Reached::Unsent, Connection, NotCharged, false);
    check("2, the caller's wish", End::Cancelled, Reached::Unsent, Cancelled, NotCharged, false);
    check("2, an input is broken", End::Input, Reached::Unsent, Io, NotCharged, false);
    for status in [301, 408, 499, 500, 502, 503, 504, 520, 530] {
        check("2, an early answer", answered(status), Reached::Unsent, Connection, NotCharged, true);
        check("2, an early answer", vendor(status), Reached::Unsent, Connection, NotCharged, true);
    }
}

#[test]
fn row_3_a_rate_limit_is_tried_again() {
    for reached in [Reached::Unsent, Reached::Sent] {
        check("3", answered(429), reached, RateLimited, NotCharged, true);
    }
}

#[test]
fn row_4_a_refusal_is_final_and_free() {
    for reached in [Reached::Unsent, Reached::Sent] {
        check("4", answered(400), reached, BadRequest, NotCharged, false);
        check("4", answered(401), reached, Authentication, NotCharged, false);
        check("4", answered(403), reached, PermissionDenied, NotCharged, false);
        check("4", answered(404), reached, NotFound, NotCharged, false);
        check("4", answered(402), reached, InsufficientCredits, NotCharged, false);
        for status in [405, 409, 413, 415, 422, 451] {
            check("4", answered(status), reached, BadRequest, NotCharged, false);
        }
        let credits = ErrorBody { out_of_credits: true, ..ErrorBody::default() };
        for status in [400, 401, 403, 404, 422, 429] {
            let end = End::Answered { status, body: credits.clone() };
            check("4", end, reached, InsufficientCredits, NotCharged, false);
        }
        let passing = ErrorBody { limit_passes: true, ..credits };
        check("3", End::Answered { status: 429, body: passing }, reached, RateLimited, NotCharged, true);
        let moderation = ErrorBody { moderation: true, ..ErrorBody::default() };
        for status in [400, 403, 422] {
            let end = End::Answered { status, body: moderation.clone() };
            check("4", end, reached, ModerationBlocked, NotCharged, false);
        }
    }
}

#[test]
fn row_5_the_vendors_word_is_no_proof() {
    for status in [500, 502, 503, 504] {
        check("5", vendor(status), Reached::Sent, Server, Unknown, false);
        assert!(
            decide(&vendor(status), Reached::Sent, Stated::Nothing, true).retry,
            "unless the caller says so in words"
        );
    }
}

#[test]
fn row_6_an_answer_that_proves_nothing_is_never_repeated() {
    for status in [301, 302, 303, 307, 308, 408, 499, 500, 502, 503, 504, 520, 521, 527, 530, 599, 999] {
        check("6", answered(status), Reached::Sent, OutcomeUnknown, Unknown, false);
        assert!(!decide(&answered(status), Reached::Sent, Stated::Nothing, true).retry);
    }
    for status in [501, 520, 527] {
        check("6, whoever says so", vendor(status), Reached::Sent, OutcomeUnknown, Unknown, false);
    }
}

#[test]
fn a_stated_price_is_believed_whatever_the_status() {
    for end in [answered(400), answered(429), answered(502), vendor(500)] {
        let verdict = decide(&end, Reached::Sent, Stated::Positive, true);
        assert_eq!((verdict.charge, verdict.retry, verdict.vendor_says_free), (Charged, false, false), "{end:?}");
    }
    let end = End::Unusable(Unusable::Empty);
    let verdict = decide(&end, Reached::Accepted, Stated::Positive, false);
    assert_eq!((verdict.kind, verdict.charge), (ResponseInvalid, Charged));
}

#[test]
fn a_price_that_cannot_be_read_may_be_one() {
    for reached in [Reached::Unsent, Reached::Sent] {
        for end in [answered(400), answered(401), answered(429), answered(502), vendor(500)] {
            let verdict = decide(&end, reached, Stated::Unreadable, true);
            assert_eq!((verdict.charge, verdict.retry, verdict.vendor_says_free), (Unknown, false, false), "{end:?}");
        }
    }
    let verdict = decide(&End::Unusable(Unusable::Empty), Reached::Accepted, Stated::Unreadable, true);
    assert_eq!((verdict.charge, verdict.retry), (Unknown, false));
}

#[test]
fn rows_7_and_8_silence_after_sending_is_never_repeated() {
    check("7", End::Lost, Reached::Sent, OutcomeUnknown, Unknown, false);
    check("7", End::NotConnected, Reached::Sent, OutcomeUnknown, Unknown, false);
    check("7", End::Barred, Reached::Sent, OutcomeUnknown, Unknown, false);
    check("8", End::Deadline, Reached::Sent, OutcomeUnknown, Unknown, false);
    check("8", End::Cancelled, Reached::Sent, Cancelled, Unknown, false);
}

#[test]
fn row_9_a_broken_success_is_paid() {
    for reached in [Reached::Accepted, Reached::Located] {
        check("9", End::Unusable(Unusable::Damaged), reached, ResponseInvalid, Charged, false);
        check("9", End::Unusable(Unusable::Empty), reached, ResponseInvalid, Unknown, false);
        check("9, cancelled", End::Cancelled, reached, Cancelled, Charged, false);
        check("9, not written", End::Storage, reached, Io, Charged, false);
    }
    check("9, deadline", End::Deadline, Reached::Accepted, ResponseInvalid, Charged, false);
}

#[test]
fn row_10_a_link_in_hand_is_paid() {
    check("10", End::Download, Reached::Located, DownloadFailed, Charged, false);
    check("10, deadline", End::Deadline, Reached::Located, DownloadFailed, Charged, false);
}

#[test]
fn retry_after_in_all_its_forms() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let seconds = |text| parse_retry_after(text, now).map(|wait| wait.as_secs_f64());
    assert_eq!(seconds("3"), Some(3.0));
    assert_eq!(seconds(" 0 "), Some(0.0));
    assert_eq!(seconds("1.5"), Some(1.5));
    assert_eq!(seconds("1000000000"), Some(1e9));
    assert_eq!(seconds("Sun, 09 Sep 2001 01:47:10 GMT"), Some(30.0));
    assert_eq!(seconds("Sun, 09 Sep 2001 01:46:00 GMT"), Some(0.0), "a date that has passed");
    for nonsense in ["", "-1", "NaN", "inf", "1e400", "soon", "Sun, 99 Sep 2001 01:46:00 GMT"] {
        assert_eq!(seconds(nonsense), None, "{nonsense}");
    }
}

#[test]
fn waits_double_up_to_their_bound_and_honour_the_server() {
    let (first, longest) = (Duration::from_millis(500), Duration::from_secs(8));
    let longest_wait = |attempts| wait(attempts, first, longest, None, 1.0).as_secs_f64();
    assert_eq!([1, 2, 3, 4, 5, 6, 60].map(longest_wait), [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
    assert_eq!(wait(3, first, longest, None, 0.0), Duration::ZERO, "full jitter");
    let asked = Duration::from_secs(30);
    assert_eq!(wait(1, first, longest, Some(asked), 0.9), asked);
    assert!(wait(9, first, longest, Some(Duration::ZERO), 0.5) > Duration::ZERO, "no storm after Retry-After: 0");
}
