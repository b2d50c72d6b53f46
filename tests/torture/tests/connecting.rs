//! Connections that cannot be established: nothing was sent or charged, and a retry is free.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gptimage_core::{Charge, Client, ErrorKind, GenerateRequest, Phase, ResponseFormat};
use gptimage_emulator::{Billing, Cut, Side};
use gptimage_torture::judge::{Evidence, Observed, Outcome, attempts, judge};
use gptimage_torture::scripted::{Script, ScriptedServer, Step};
use gptimage_torture::world::{KEY, World, patient, timers};

fn request() -> GenerateRequest {
    GenerateRequest::builder("A T-Rex").response_format(ResponseFormat::B64Json).build().unwrap()
}

/// Longer than the server's side of a handshake with our certificate, session tickets included.
const HANDSHAKE_MAX: u64 = 1500;
const AT_ONCE: usize = 128;

/// Checks that the kind follows from how far the attempt came, independent of the offset.
fn check_kind(outcome: &Outcome, offset: u64) -> Charge {
    let [attempt] = attempts(outcome) else { panic!("one attempt: {outcome:#?}") };
    let error = outcome.as_ref().unwrap_err();
    let expected = match attempt.phase {
        Phase::Connecting | Phase::Sending => (ErrorKind::Connection, Charge::NotCharged),
        Phase::Sent => (ErrorKind::OutcomeUnknown, Charge::Unknown),
        other => panic!("offset {offset}: {other}: {outcome:#?}"),
    };
    assert_eq!((error.kind(), error.charge()), expected, "offset {offset}: {outcome:#?}");
    error.charge()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_of_the_handshake() {
    let world = Arc::new(World::new().unwrap());
    for cut in [Cut::Fin, Cut::Rst, Cut::Silence] {
        let next = Arc::new(AtomicU64::new(0));
        let mut lanes = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (world, next) = (world.clone(), next.clone());
            lanes.spawn(async move {
                let builder = ScriptedServer::builder().billing(Billing::Pessimistic).tls(&world.authority);
                let server = builder.start().await.unwrap();
                let config = Client::builder().api_key(KEY).base_url(server.base_url()).ca_file(&world.ca_file);
                let client = config.timers(timers()).max_attempts(1).build().unwrap();
                let mut proved = 0;
                loop {
                    let offset = next.fetch_add(1, Ordering::Relaxed);
                    if offset > HANDSHAKE_MAX {
                        return proved;
                    }
                    let seen = server.ledger().len();
                    server.script(Side::Api, Script::new([Step::Handshake(offset, cut)]));
                    let outcome = client.generate(&request()).send().await;
                    server.wait_idle().await;
                    proved += u64::from(check_kind(&outcome, offset) == Charge::NotCharged);
                    let ledger = server.ledger().split_off(seen);
                    let observed = [Observed::Outcome(Box::new(outcome))];
                    let evidence = Evidence {
                        observed: &observed,
                        collected: &[],
                        ledger: &ledger,
                        picture: &[],
                        max_attempts: 1,
                    };
                    assert_eq!(judge(&evidence).wrong, [""; 0], "{cut:?} after {offset} bytes of the handshake");
                }
            });
        }
        let proved: u64 = lanes.join_all().await.into_iter().sum();
        assert!(proved > 500, "{cut:?}: most cuts prove that nothing was charged: {proved}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_host_that_swallows_every_packet() {
    use socket2::{Domain, Socket, Type};
    // A listener whose queue is full drops further connections.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let fillers: Vec<_> = (0..8)
        .map(|_| {
            let filler = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            filler.set_nonblocking(true).unwrap();
            // Each connection either fills the queue or waits in vain.
            let _ = filler.connect(&address.into());
            filler
        })
        .collect();
    let mut timers = patient();
    timers.connect = Duration::from_millis(300);
    let config = Client::builder().api_key(KEY).base_url(format!("http://{address}")).timers(timers).max_attempts(2);
    let error = config.build().unwrap().generate(&request()).send().await.unwrap_err();
    assert_eq!((error.kind(), error.charge(), error.is_timeout()), (ErrorKind::Connection, Charge::NotCharged, true));
    assert!(error.attempts().iter().all(|attempt| attempt.phase == Phase::Connecting && attempt.bytes_sent == 0));
    assert_eq!(error.attempts().len(), 2);
    drop(fillers);
}

#[tokio::test]
async fn silence_up_to_the_head_timer() {
    // A response just before the timeout is a success; after it, the outcome is unknown. Neither is repeated. Minutes
    // are scaled to seconds.
    for (pause, success) in [(1500, true), (60_000, false)] {
        let server = ScriptedServer::builder().billing(Billing::Pessimistic).start().await.unwrap();
        server.script(Side::Api, format!("read whole; pause {pause}ms; send image").parse().unwrap());
        let mut timers = patient();
        // Neither the write timeout nor the read timeout may end the wait.
        (timers.response_header, timers.write, timers.read) =
            (Duration::from_secs(if success { 60 } else { 1 }), Duration::from_secs(1), Duration::from_secs(1));
        let client = Client::builder().api_key(KEY).base_url(server.base_url()).timers(timers).build().unwrap();
        let outcome = client.generate(&request()).send().await;
        assert_eq!(outcome.is_ok(), success, "{outcome:#?}");
        assert_eq!(attempts(&outcome).len(), 1);
        if let Err(error) = &outcome {
            assert_eq!(
                (error.kind(), error.charge(), error.is_timeout()),
                (ErrorKind::OutcomeUnknown, Charge::Unknown, true)
            );
        }
        assert_eq!(server.connections(Side::Api), 1);
    }
}

#[tokio::test]
async fn a_reset_after_a_long_silence() {
    // Load balancers end connections that are idle for a minute or two; here it is a fraction of a second.
    for (end, pause) in [("rst", 600), ("fin", 600), ("rst", 1200), ("fin", 1200)] {
        let server = ScriptedServer::builder().billing(Billing::Pessimistic).start().await.unwrap();
        server.script(Side::Api, format!("read whole; pause {pause}ms; cut {end}").parse().unwrap());
        let mut timers = patient();
        timers.response_header = Duration::from_secs(60);
        let client = Client::builder().api_key(KEY).base_url(server.base_url()).timers(timers).build().unwrap();
        let outcome = client.generate(&request()).send().await;
        server.wait_idle().await;
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.kind(), error.charge(), error.is_timeout()),
            (ErrorKind::OutcomeUnknown, Charge::Unknown, false)
        );
        assert_eq!((error.attempts().len(), server.charges()), (1, 1));
    }
}
