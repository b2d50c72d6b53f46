use super::*;
use crate::wire::LogStatus::{Failed, Other, Running, Succeeded};
use crate::wire::Price;

fn row(status: LogStatus, usd: Option<&str>) -> LogRow {
    LogRow {
        client_request_id: "ours".to_owned(),
        status,
        price: Price {
            cost: Cost { usd: usd.and_then(|usd| usd.parse().ok()), credits: None },
            unreadable: usd.is_some_and(|usd| usd.parse::<crate::Amount>().is_err()),
        },
        inference_id: Some("work-1".to_owned()),
        request_id: None,
        created: None,
    }
}

fn charge(rows: &[LogRow]) -> Charge {
    reconcile_rows(&ReconcileTarget::from("ours"), rows, None).charge
}

#[test]
fn only_what_leaves_no_other_reading_is_believed() {
    use Charge::{Charged, NotCharged, Unknown};
    for (rows, expected) in [
        (vec![], Unknown),
        (vec![row(Failed, Some("0"))], NotCharged),
        (vec![row(Failed, Some("0")), row(Failed, Some("0.000"))], NotCharged),
        (vec![row(Failed, Some("$0.05"))], Unknown),
        (vec![row(Failed, Some("0.0500000000000000000001"))], Unknown),
        (vec![row(Failed, Some("$0.05")), row(Failed, Some("0"))], Unknown),
        (vec![row(Succeeded, Some("$0.05"))], Charged),
        (vec![row(Succeeded, Some("0.05"))], Charged),
        (vec![row(Succeeded, None)], Charged),
        (vec![row(Succeeded, Some("0"))], Charged),
        // A failure that was paid for.
        (vec![row(Failed, Some("0.05"))], Charged),
        // A failure that no number states to be free.
        (vec![row(Failed, None)], Unknown),
        (vec![row(Other, Some("0"))], Unknown),
        (vec![row(Other, Some("0.05"))], Charged),
        // Two rows of one call: the worse one counts.
        (vec![row(Failed, Some("0")), row(Succeeded, Some("0.05"))], Charged),
        (vec![row(Failed, Some("0")), row(Other, None)], Unknown),
        (vec![LogRow { client_request_id: "another".to_owned(), ..row(Failed, Some("0")) }], Unknown),
    ] {
        // Threat: odd-price
        assert_eq!(charge(&rows), expected, "{rows:?}");
    }
}

#[test]
fn a_row_of_other_work_proves_nothing_good() {
    let target = ReconcileTarget { inference_id: Some("work-2".to_owned()), ..ReconcileTarget::from("ours") };
    assert_eq!(reconcile_rows(&target, &[row(Failed, Some("0"))], None).charge, Charge::Unknown);
    assert_eq!(reconcile_rows(&target, &[row(Succeeded, Some("0.05"))], None).charge, Charge::Charged);
}

#[test]
fn prices_of_several_rows_are_added() {
    let reconciled = reconcile_rows(
        &ReconcileTarget::from("ours"),
        &[row(Succeeded, Some("0.05")), row(Succeeded, Some("0.07"))],
        None,
    );
    assert_eq!(reconciled.cost.unwrap().usd.unwrap().to_string(), "0.12");
    assert!(reconciled.message.contains("0.12 USD") && reconciled.message.contains("work-1"), "{}", reconciled.message);
}

#[test]
fn what_is_proved_is_not_asked_for() {
    let target = ReconcileTarget { known: Some((Charge::NotCharged, None)), ..ReconcileTarget::from("ours") };
    assert_eq!(reconcile_rows(&target, &[row(Succeeded, Some("0.05"))], None).charge, Charge::NotCharged);
}

#[test]
fn what_is_not_proved_is_asked_for() {
    let target = ReconcileTarget::from("ours").known(Charge::Unknown, None);
    assert_eq!(reconcile_rows(&target, &[row(Failed, Some("0"))], None).charge, Charge::NotCharged);
}

#[test]
fn the_message_says_whose_word_it_is() {
    let asked = ReconcileTarget::from("ours");
    let proved = ReconcileTarget::from("ours").known(Charge::NotCharged, None);
    for (target, rows, silence, said) in [
        (&proved, vec![], None, "provably not charged"),
        (&asked, vec![row(Failed, Some("0"))], None, "the vendor's log says that it failed"),
        (&asked, vec![row(Failed, None)], None, "contradicts itself"),
        (&asked, vec![], None, "proves nothing"),
        (&asked, vec![], Some("the log cannot be read"), "the log cannot be read; ask again later"),
    ] {
        let reconciled = reconcile_rows(target, &rows, silence);
        assert!(reconciled.message.contains(said), "{}", reconciled.message);
    }
}

#[test]
fn what_a_refund_needs_is_told() {
    let row = LogRow {
        inference_id: None,
        request_id: Some("request-1".to_owned()),
        created: Some("2026-08-19T08:15:30.000Z".to_owned()),
        ..row(Succeeded, Some("0.05"))
    };
    let reconciled =
        reconcile_rows(&ReconcileTarget::from("ours").inference_id(Some("work-2".to_owned())), &[row], None);
    assert_eq!(reconciled.inference_id.as_deref(), Some("work-2"));
    assert_eq!(reconciled.request_id.as_deref(), Some("request-1"));
    assert_eq!(reconciled.created.as_deref(), Some("2026-08-19T08:15:30.000Z"));
    for part in ["0.05 USD", "request id ours", "work-2", "2026-08-19T08:15:30.000Z"] {
        assert!(reconciled.message.contains(part), "{}", reconciled.message);
    }
}

#[test]
fn a_row_that_is_still_running_settles_nothing_and_says_so() {
    let asked = ReconcileTarget::from("ours");
    for (rows, settled) in [
        (vec![], false),
        (vec![row(Running, None)], false),
        (vec![row(Running, Some("0"))], false),
        // What it costs is not known before its end.
        (vec![row(Running, Some("0.05"))], false),
        (vec![row(Failed, Some("0")), row(Running, None)], false),
        (vec![row(Failed, None)], false),
        (vec![row(Other, None)], false),
        (vec![row(Failed, Some("0"))], true),
        (vec![row(Succeeded, Some("0.05"))], true),
    ] {
        assert_eq!(is_resolved(&asked, &rows), settled, "{rows:?}");
    }
    let reconciled = reconcile_rows(&asked, &[row(Running, Some("0"))], None);
    assert_eq!(reconciled.charge, Charge::Unknown);
    assert!(reconciled.message.contains("still running"), "{}", reconciled.message);
    assert_eq!(charge(&[row(Running, Some("0.05"))]), Charge::Charged, "a price was paid");
}
