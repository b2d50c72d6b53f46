//! Tests that the judge detects errors: with evidence of real calls, and with the same evidence and a falsified
//! ledger.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use gptimage_core::{Client, GenerateRequest, ResponseFormat};
use gptimage_emulator::{Billing, LedgerEntry, Price, Side};
use gptimage_torture::judge::{Evidence, Judgement, Observed, Outcome, judge};
use gptimage_torture::scripted::ScriptedServer;
use gptimage_torture::world::{KEY, patient};

/// Makes one call with these server scripts. Returns the result and the ledger.
async fn call(scripts: &[&str], retry_server_errors: bool) -> (Outcome, Vec<LedgerEntry>) {
    let server = ScriptedServer::builder().billing(Billing::Pessimistic).start().await.unwrap();
    scripts.iter().for_each(|text| server.script(Side::Api, text.parse().unwrap()));
    let config = Client::builder().api_key(KEY).base_url(server.base_url()).timers(patient());
    let client = config.retry_server_errors(retry_server_errors).build().unwrap();
    let request = GenerateRequest::builder("A T-Rex").response_format(ResponseFormat::B64Json).build().unwrap();
    let outcome = client.generate(&request).send().await;
    server.wait_idle().await;
    (outcome, server.ledger())
}

fn judged(observed: Observed, ledger: &[LedgerEntry]) -> Judgement {
    let picture = match &observed {
        Observed::Outcome(outcome) => {
            outcome.as_ref().as_ref().ok().and_then(|made| made.image()?.bytes().cloned()).unwrap_or_default()
        }
        Observed::CallerGone => Default::default(),
    };
    judge(&Evidence { observed: &[observed], collected: &[], ledger, picture: &picture, max_attempts: 3 })
}

fn observed(outcome: Outcome) -> Observed {
    Observed::Outcome(Box::new(outcome))
}

#[tokio::test]
async fn what_is_right_is_right() {
    for scripts in [&[][..], &["read whole; cut rst"], &["read whole; send status 429 empty"]] {
        let (outcome, ledger) = call(scripts, false).await;
        let judgement = judged(observed(outcome), &ledger);
        assert_eq!((judgement.wrong, judgement.charges, judgement.duplicates), (Vec::<String>::new(), 1, 0));
    }
}

#[tokio::test]
async fn a_paid_call_that_nobody_is_told_of_is_lost() {
    let (_, ledger) = call(&[], false).await;
    let judgement = judged(Observed::CallerGone, &ledger);
    assert_eq!((judgement.lost, judgement.wrong.len()), (1, 1), "{judgement:?}");
}

#[tokio::test]
async fn a_call_that_is_paid_twice_is_a_duplicate() {
    // The caller explicitly allows retries that the default forbids.
    let (outcome, ledger) = call(&["read whole; send status 500 problem"], true).await;
    let judgement = judged(observed(outcome), &ledger);
    assert_eq!((judgement.charges, judgement.duplicates), (2, 1), "{judgement:?}");
    assert!(judgement.wrong.iter().any(|wrong| wrong.contains("without a proof")), "{judgement:?}");
}

#[tokio::test]
async fn a_refusal_that_was_charged_is_a_lie() {
    let (outcome, mut ledger) = call(&["read whole; send status 400 problem"], false).await;
    ledger[0].charge = Some(Price { credits: 1 });
    let judgement = judged(observed(outcome), &ledger);
    assert_eq!((judgement.wrongly_free, judgement.wrong.len()), (1, 1), "{judgement:?}");
}

#[tokio::test]
async fn an_id_that_no_list_has_is_noticed() {
    let (outcome, mut ledger) = call(&["read whole; send status 400 problem"], false).await;
    let mut other = ledger[0].clone();
    other.client_request_id = Some("gptimage-another".to_owned());
    ledger.push(other);
    assert!(judged(observed(outcome), &ledger).wrong[0].contains("stands in no attempt list"));
    let (outcome, mut ledger) = call(&["read whole; cut rst"], false).await;
    ledger.push(ledger[0].clone());
    assert!(judged(observed(outcome), &ledger).wrong.iter().any(|wrong| wrong.contains("sent twice")));
}
