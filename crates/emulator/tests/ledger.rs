//! The ledger under both billing models, whatever the client does.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use gptimage_emulator::{Billing, Emulator, ErrorBody, Fault};
use support::*;
use tokio::io::AsyncWriteExt;

async fn emulator(billing: Billing) -> Emulator {
    Emulator::builder().billing(billing).canned(&b"picture"[..]).start().await.unwrap()
}

#[tokio::test]
async fn failures_are_charged_as_the_model_says() {
    for (status, documented, pessimistic) in [
        (200, true, true),
        (302, false, true),
        (400, false, false),
        (408, false, true),
        (429, false, false),
        (503, false, true),
    ] {
        for (billing, paid) in [(Billing::Documented, documented), (Billing::Pessimistic, pessimistic)] {
            for charged in [None, Some(true), Some(false)] {
                let emulator = emulator(billing).await;
                let fault = Fault::answer(status).body(ErrorBody::Empty);
                emulator.fault(match charged {
                    Some(charged) => fault.charged(charged),
                    None => fault,
                });
                assert_eq!(call(&emulator, &generate_request(&emulator)).await.status, status);
                emulator.wait_idle().await;
                let entry = emulator.ledger().pop().unwrap();
                assert_eq!(entry.charge.is_some(), charged.unwrap_or(paid), "{status} {billing:?} {charged:?}");
                assert_eq!((entry.generated, entry.status, entry.delivered), (paid, Some(status), true));
                assert_eq!(emulator.charges() == 1, emulator.balance() != "1000");
            }
        }
    }
}

/// The client sends a prefix and leaves, politely or not.
async fn leave_after(emulator: &Emulator, request: &[u8], sent: usize, reset: bool) {
    let mut socket = connect(emulator.base_url()).await;
    socket.write_all(&request[..sent]).await.unwrap();
    if reset {
        socket2::SockRef::from(&socket).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_charged_only_for_a_whole_request() {
    let emulator = emulator(Billing::Documented).await;
    let request = generate_request(&emulator);
    let mut seen = 0;
    for sent in 0..=request.len() {
        leave_after(&emulator, &request, sent, false).await;
        emulator.wait_idle().await;
        let ledger = emulator.ledger();
        // Before its target is there, a request cannot be told from any other.
        if ledger.len() == seen {
            assert!(sent < "POST /v1/images/generations ".len(), "{sent}");
            continue;
        }
        seen = ledger.len();
        let entry = ledger.last().unwrap();
        let whole = sent == request.len();
        assert_eq!((entry.arrived_whole, entry.generated, entry.charge.is_some()), (whole, whole, whole), "{sent}");
        assert!(!entry.delivered, "{sent}");
    }
    assert_eq!(emulator.connections(), request.len() as u64 + 1);
    assert_eq!(emulator.charges(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn idleness_is_no_luck() {
    // Many clients that leave at once in every way, on several threads: the ledger is complete when it is asked for.
    let emulator = emulator(Billing::Documented).await;
    let request = generate_request(&emulator);
    for round in 1..=300 {
        leave_after(&emulator, &request, request.len(), false).await;
        emulator.wait_idle().await;
        assert_eq!((emulator.ledger().len(), emulator.charges()), (round, round as u64));
    }
}

#[test]
fn idleness_is_no_luck_on_a_thread_of_its_own_either() {
    use std::io::Write;
    let emulator = Emulator::builder().canned(&b"picture"[..]).spawn().unwrap();
    let request = generate_request(&emulator);
    for round in 1..=300 {
        let mut socket = std::net::TcpStream::connect(authority(emulator.base_url())).unwrap();
        socket.write_all(&request).unwrap();
        drop(socket);
        emulator.wait_idle_blocking();
        assert_eq!((emulator.ledger().len(), emulator.charges()), (round, round as u64));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_request_is_worked_on_although_its_client_resets() {
    let emulator = Emulator::builder().start().await.unwrap();
    let request = generate_request(&emulator);
    leave_after(&emulator, &request, request.len(), true).await;
    emulator.wait_idle().await;
    // The reset may overtake what was sent; what arrived is charged.
    for entry in emulator.ledger() {
        assert_eq!((entry.arrived_whole, entry.arrived_whole), (entry.generated, entry.charge.is_some()));
    }
}

#[tokio::test]
async fn a_debt_is_possible_where_failures_cost() {
    let emulator =
        Emulator::builder().billing(Billing::Pessimistic).balance_usd("0").canned(&b"x"[..]).start().await.unwrap();
    emulator.fault(Fault::answer(503));
    assert_eq!(call(&emulator, &generate_request(&emulator)).await.status, 503);
    assert_eq!(call(&emulator, &generate_request(&emulator)).await.status, 403);
    emulator.wait_idle().await;
    assert_eq!((emulator.balance().as_str(), emulator.charges()), ("-0.0536705", 1));
}
