//! One budget over many calls, against the emulator's money.

use std::time::Duration;

use gptimage_core::{Amount, Budget, Charge, ErrorKind};
use gptimage_emulator::{Cut, Emulator, ErrorBody, Fault};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::common::{config, pessimistic, request};

fn usd(text: &str) -> Amount {
    text.parse().unwrap()
}

/// What the emulator charged in all.
fn charged(emulator: &Emulator) -> Amount {
    let prices = emulator.ledger().into_iter().filter_map(|entry| entry.charge);
    prices.fold(Amount::ZERO, |sum, price| sum.saturating_add(price.usd().parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_and_clients_share_one_budget_and_never_exceed_it() {
    let emulator = pessimistic().await;
    let budget = Budget::new(usd("1")).max_usd_per_call(usd("0.2"));
    let mut workers = JoinSet::new();
    for number in 0..24 {
        emulator.fault(match number % 4 {
            0 => Fault::cut_response(0, Cut::Rst),
            1 => Fault::answer(503),
            2 => Fault::answer(429),
            _ => Fault::delay(Duration::from_millis(20)),
        });
    }
    for _ in 0..12 {
        let client = config(&emulator).budget(&budget).max_attempts(1).build().unwrap();
        workers.spawn(async move {
            let mut refused = 0;
            for _ in 0..4 {
                let outcome = client.generate(&request()).send().await;
                refused += u32::from(outcome.is_err_and(|error| error.kind() == ErrorKind::BudgetExceeded));
            }
            refused
        });
    }
    let refused: u32 = workers.join_all().await.into_iter().sum();
    emulator.wait_idle().await;
    let status = budget.status();
    assert!(refused > 0, "{status:?}");
    // Threat: overspent
    assert!(charged(&emulator) <= status.spent_usd && status.spent_usd <= status.max_usd, "{status:?}");
    assert!(status.reserved_usd.is_zero(), "{status:?}");
}

#[tokio::test]
async fn what_is_refused_is_not_sent() {
    let emulator = pessimistic().await;
    let client = config(&emulator).budget(&Budget::new(usd("0.1"))).build().unwrap();
    let error = client.generate(&request()).send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.charge(), error.attempts().len()),
        (ErrorKind::BudgetExceeded, Charge::NotCharged, 0)
    );
    assert!(emulator.requests().is_empty());
}

#[tokio::test]
async fn a_price_above_the_reservation_is_told_and_closes_the_budget() {
    let emulator = pessimistic().await;
    let budget = Budget::new(usd("5")).max_usd_per_call(usd("0.01"));
    let client = config(&emulator).budget(&budget).build().unwrap();
    let generated = client.generate(&request()).send().await.unwrap();
    assert!(generated.warnings().iter().any(|warning| warning.kind() == "over_budget"), "{:?}", generated.warnings());
    assert_eq!(client.generate(&request()).send().await.unwrap_err().kind(), ErrorKind::BudgetExceeded);
    assert_eq!(emulator.charges(), 1);
}

#[tokio::test]
async fn a_call_that_runs_on_without_its_caller_keeps_its_reservation_until_it_ends() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::delay(Duration::from_millis(400)));
    let budget = Budget::new(usd("5"));
    let client = config(&emulator).budget(&budget).build().unwrap();
    let call = client.generate(&request()).send();
    assert!(timeout(Duration::from_millis(150), call).await.is_err());
    assert_eq!(budget.status().reserved_usd, usd("0.5"));
    client.drain().await;
    let status = budget.status();
    assert_eq!((status.reserved_usd, status.spent_usd), (Amount::ZERO, charged(&emulator)));
}

#[tokio::test]
async fn each_attempt_is_reserved_on_its_own() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(500).body(ErrorBody::documented("worked on, and failed")));
    // Enough for the first attempt, which may be charged, and not for a second.
    let budget = Budget::new(usd("0.9"));
    let client = config(&emulator).budget(&budget).retry_server_errors(true).build().unwrap();
    let error = client.generate(&request()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.charge()), (ErrorKind::BudgetExceeded, Charge::Unknown));
    assert_eq!((error.attempts().len(), emulator.charges()), (1, 1));
}
