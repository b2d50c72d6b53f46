use std::time::Duration;

use super::*;
use crate::attempt::Phase;
use crate::request::{ImageInput, Operation, PixelFormat, RequestBuilder};

fn usd(text: &str) -> Amount {
    text.parse().unwrap()
}

fn cents(number: u64) -> Amount {
    Amount::cents(number)
}

fn price_key(n: u32, size: &str) -> PriceKey {
    let request = Request::builder(Operation::Generate, "A hat").set("size", size).build().unwrap();
    PriceKey { n, ..PriceKey::of(&request) }
}

fn state(id: u64) -> Arc<AttemptState> {
    Arc::new(AttemptState::new(1, format!("call-{id}"), Duration::ZERO, 100))
}

fn attempt(id: u64, charge: Charge, cost: Option<Amount>) -> Attempt {
    Attempt {
        number: 1,
        client_request_id: format!("call-{id}"),
        inference_id: None,
        request_id: None,
        phase: Phase::Sent,
        bytes_sent: 100,
        bytes_total: 100,
        http_status: None,
        charge,
        cost: cost.map(|usd| Cost { usd: Some(usd), credits: None }),
        waited: Duration::ZERO,
        elapsed: Duration::ZERO,
        error: None,
    }
}

#[test]
fn a_call_reserves_settles_and_is_refused_where_it_does_not_fit() {
    let budget = Budget::new(usd("1.20"));
    let one = price_key(1, "1024x1024");
    let first = budget.reserve(&one, &state(1)).unwrap();
    assert_eq!(budget.status().reserved_usd, usd("0.5"));
    let second = budget.reserve(&one, &state(2)).unwrap();
    let refused = budget.reserve(&one, &state(3)).unwrap_err();
    assert_eq!((refused.kind(), refused.charge()), (ErrorKind::BudgetExceeded, Charge::NotCharged));
    for part in ["0.5 USD", "1.2 USD", "max_usd"] {
        assert!(refused.message().contains(part), "{refused}");
    }
    assert_eq!(first.commit(&attempt(1, Charge::Charged, Some(usd("0.05")))), None);
    assert_eq!(second.commit(&attempt(2, Charge::NotCharged, None)), None);
    let status = budget.status();
    assert_eq!((status.spent_usd, status.reserved_usd, status.remaining_usd), (usd("0.05"), Amount::ZERO, usd("1.15")));
}

#[test]
fn what_is_left_to_the_last_cent_is_let_through() {
    let budget = Budget::new(usd("1"));
    let one = price_key(1, "1024x1024");
    let first = budget.reserve(&one, &state(1)).unwrap();
    let second = budget.reserve(&one, &state(2)).unwrap();
    assert!(budget.status().remaining_usd.is_zero());
    assert_eq!(format!("{first:?} {second:?}"), "Reservation(0.5 USD) Reservation(0.5 USD)");
}

#[test]
fn a_clone_is_the_same_budget_and_an_equal_one_is_not() {
    let budget = Budget::new(usd("1"));
    assert!(budget.is_same(&budget.clone()));
    assert!(!budget.is_same(&Budget::new(usd("1"))));
}

#[test]
fn each_picture_is_reserved_and_a_limit_of_the_caller_counts_for_all_of_them() {
    let budget = Budget::new(usd("2"));
    let reservation = budget.reserve(&price_key(3, "1024x1024"), &state(1)).unwrap();
    assert_eq!(budget.status().reserved_usd, usd("1.5"));
    drop(reservation);
    let budget = budget.max_usd_per_call(usd("0.2"));
    let _reservation = budget.reserve(&price_key(3, "1024x1024"), &state(2)).unwrap();
    assert_eq!(budget.status().reserved_usd, usd("0.2"));
}

#[test]
fn the_dearest_of_equal_calls_is_reserved() {
    let budget = Budget::new(usd("9")).max_usd_per_call(usd("0.10"));
    let (small, large) = (price_key(1, "1024x1024"), price_key(1, "1536x1024"));
    let reservation = budget.reserve(&large, &state(1)).unwrap();
    assert_eq!(reservation.commit(&attempt(1, Charge::Charged, Some(usd("0.09")))), None);
    // What was seen lowers neither the limit nor what was seen before.
    let reservation = budget.reserve(&large, &state(5)).unwrap();
    assert_eq!(budget.status().reserved_usd, usd("0.10"));
    assert_eq!(reservation.commit(&attempt(5, Charge::Charged, Some(usd("0.02")))), None);
    drop(budget.reserve(&small, &state(2)).unwrap());
    // A limit that was lowered is not believed against what was seen.
    let budget = budget.max_usd_per_call(usd("0.01"));
    let _first = budget.reserve(&large, &state(3)).unwrap();
    assert_eq!(budget.status().reserved_usd, usd("0.09"));
    let _second = budget.reserve(&small, &state(4)).unwrap();
    assert_eq!(budget.status().reserved_usd, usd("0.10"));
}

#[test]
fn what_costs_more_than_it_may_closes_the_budget() {
    let budget = Budget::new(usd("9"));
    let one = price_key(1, "1024x1024");
    let reservation = budget.reserve(&one, &state(1)).unwrap();
    assert_eq!(reservation.commit(&attempt(1, Charge::Charged, Some(usd("0.51")))), Some(usd("0.5")));
    let refused = budget.reserve(&one, &state(2)).unwrap_err();
    assert!(refused.message().contains("call-1"), "{refused}");
    assert!(budget.status().closed && budget.status().remaining_usd.is_zero());
}

#[test]
fn the_first_call_that_cost_too_much_is_named_and_the_log_may_be_who_tells() {
    let budget = Budget::new(usd("9"));
    let one = price_key(1, "1024x1024");
    for id in [1, 2, 3] {
        assert_eq!(budget.reserve(&one, &state(id)).unwrap().commit(&attempt(id, Charge::Unknown, None)), None);
    }
    for (id, price) in [("call-1", "0.5"), ("call-2", "0.51"), ("call-3", "0.52")] {
        budget.reconciled(id, Charge::Charged, Some(Cost { usd: Some(usd(price)), credits: None }));
        assert_eq!(budget.status().closed, id != "call-1");
    }
    let refused = budget.reserve(&one, &state(4)).unwrap_err();
    assert!(refused.message().contains("call-2"), "{refused}");
}

#[test]
fn calls_are_equal_that_should_cost_the_same() {
    let picture = ImageInput::pixels(1, 1, PixelFormat::Gray, &[7]).unwrap();
    let edit = |change: fn(RequestBuilder) -> RequestBuilder| {
        PriceKey::of(&change(Request::builder(Operation::Edit, "A hat").image(picture.clone())).build().unwrap())
    };
    let plain = edit(|builder| builder);
    assert_eq!(plain, edit(|builder| builder.set("prompt", "A crown")));
    for other in [
        PriceKey::of(&Request::builder(Operation::Generate, "A hat").build().unwrap()),
        edit(|builder| builder.set("model", "another")),
        edit(|builder| builder.set("size", "1024x1024")),
        edit(|builder| builder.set("quality", "high")),
        edit(|builder| builder.set("n", "2")),
    ] {
        assert_ne!(plain, other);
    }
}

#[test]
fn amounts_in_text_may_stand_between_spaces_and_are_named_where_they_are_none() {
    let budget = Budget::parse(" 2 ", Some("0.2\n")).unwrap();
    let _reservation = budget.reserve(&price_key(1, "1024x1024"), &state(1)).unwrap();
    assert_eq!((budget.status().max_usd, budget.status().reserved_usd), (usd("2"), usd("0.2")));
    for (max, per_call, name) in [("two", None, "max_usd: "), ("2", Some("-1"), "max_usd_per_call: ")] {
        let refused = Budget::parse(max, per_call).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config);
        assert!(refused.message().starts_with(name), "{refused}");
    }
}

#[test]
fn what_is_not_known_counts_as_spent_until_it_is() {
    let budget = Budget::new(usd("9"));
    let one = price_key(1, "1024x1024");
    for (id, charge) in [(1, Charge::Unknown), (2, Charge::Charged), (3, Charge::Unknown)] {
        assert_eq!(budget.reserve(&one, &state(id)).unwrap().commit(&attempt(id, charge, None)), None);
    }
    assert_eq!((budget.status().spent_usd, budget.status().assumed_usd), (usd("1.5"), usd("1.5")));
    budget.reconciled("call-1", Charge::NotCharged, None);
    budget.reconciled("call-2", Charge::Charged, Some(Cost { usd: Some(usd("0.07")), credits: None }));
    budget.reconciled("call-3", Charge::Unknown, None);
    budget.reconciled("of another budget", Charge::NotCharged, None);
    assert_eq!((budget.status().spent_usd, budget.status().assumed_usd), (usd("0.57"), usd("0.5")));
    // Twice is once.
    budget.reconciled("call-2", Charge::Charged, Some(Cost { usd: Some(usd("0.07")), credits: None }));
    assert_eq!(budget.status().spent_usd, usd("0.57"));
}

#[test]
fn a_task_that_ends_early_gives_back_only_what_cannot_be_charged() {
    let budget = Budget::new(usd("9"));
    let (unsent, sent) = (state(1), state(2));
    let reservations = [&unsent, &sent].map(|state| budget.reserve(&price_key(1, "1024x1024"), state).unwrap());
    sent.send_guard.start();
    assert!(sent.send_guard.pass(100));
    drop(reservations);
    assert_eq!((budget.status().assumed_usd, budget.status().reserved_usd), (usd("0.5"), Amount::ZERO));
}

#[test]
fn credits_are_money_and_the_larger_price_counts() {
    let cost = |usd: Option<&str>, credits: Option<u64>| Cost {
        usd: usd.map(|usd| usd.parse().unwrap()),
        credits: credits.map(Amount::whole),
    };
    assert_eq!(cost(None, Some(1)).in_usd(), Some(usd("0.0000005")));
    assert_eq!(cost(Some("0.05"), Some(107_341)).in_usd(), Some(usd("0.0536705")));
    assert_eq!(cost(Some("0.06"), Some(107_341)).in_usd(), Some(usd("0.06")));
    assert_eq!(cost(None, None).in_usd(), None);
}

/// A call that was let through, with what it truly costs in the end.
struct Open {
    id: u64,
    reservation: Reservation,
    true_cost: Amount,
}

#[test]
fn no_schedule_spends_more_than_the_budget_has() {
    let mut random = fastrand::Rng::new();
    let seed = random.get_seed();
    let mut let_through = 0_u64;
    let mut refused = 0_u64;
    for schedule in 0..100_000 {
        let max = cents(random.u64(0..400));
        let budget = Budget::new(max).max_usd_per_call(cents(random.u64(1..80)));
        let (mut open, mut spent): (Vec<Open>, Amount) = (Vec::new(), Amount::ZERO);
        for id in 0..random.u64(1..16) {
            if random.bool() || open.is_empty() {
                let price_key = price_key(random.u32(1..3), if random.bool() { "1024x1024" } else { "1536x1024" });
                match budget.reserve(&price_key, &state(id)) {
                    Ok(reservation) => {
                        let true_cost = cents(random.u64(0..80)).min(reservation.usd);
                        open.push(Open { id, reservation, true_cost });
                        let_through += 1;
                    }
                    Err(_) => refused += 1,
                }
            } else {
                let Open { id, reservation, true_cost } = open.swap_remove(random.usize(..open.len()));
                match random.u32(0..5) {
                    0 => assert_eq!(reservation.commit(&attempt(id, Charge::NotCharged, None)), None),
                    1 => {
                        // Charged, and only the log knows.
                        spent = spent.saturating_add(true_cost);
                        assert_eq!(reservation.commit(&attempt(id, Charge::Unknown, None)), None);
                        if random.bool() {
                            let cost = Some(Cost { usd: Some(true_cost), credits: None });
                            budget.reconciled(&format!("call-{id}"), Charge::Charged, cost);
                        }
                    }
                    2 => {
                        assert_eq!(reservation.commit(&attempt(id, Charge::Unknown, None)), None);
                        budget.reconciled(&format!("call-{id}"), Charge::NotCharged, None);
                    }
                    _ => {
                        spent = spent.saturating_add(true_cost);
                        assert_eq!(reservation.commit(&attempt(id, Charge::Charged, Some(true_cost))), None);
                    }
                }
            }
            // Everything on its way may yet be charged.
            let committed = open.iter().fold(spent, |sum, open| sum.saturating_add(open.true_cost));
            let status = budget.status();
            // Threat: overspent
            assert!(committed <= max, "seed {seed}, schedule {schedule}: {committed} of {max}");
            assert!(spent <= status.spent_usd, "seed {seed}, schedule {schedule}: less is reported than was spent");
        }
    }
    assert!(let_through > 100_000 && refused > 100_000, "seed {seed}: {let_through} let through, {refused} refused");
}

#[test]
fn threads_share_one_budget() {
    let budget = Budget::new(usd("10")).max_usd_per_call(usd("0.03"));
    let let_through: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..16)
            .map(|worker| {
                let budget = budget.clone();
                scope.spawn(move || {
                    let mut paid = 0;
                    for call in 0..100 {
                        let id = worker * 1000 + call;
                        let Ok(reservation) = budget.reserve(&price_key(1, "1024x1024"), &state(id)) else { continue };
                        reservation.commit(&attempt(id, Charge::Charged, Some(usd("0.03"))));
                        paid += 1;
                    }
                    paid
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(let_through, 333);
    assert_eq!(budget.status().spent_usd, usd("9.99"));
}
