//! Asking afterwards: a log that lags, pages, refuses, is absent, or lies. Verdicts are right, or unknown.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gptimage_core::{Budget, Charge, Client, Reconciled};
use gptimage_emulator::{Cut, Emulator, Fault};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::common::{attempts, client, config, pessimistic, request, timers};

/// A gateway of which only the log answers, as `answer` says: the query in, status, more headers and body out.
async fn log_of(
    answer: impl Fn(&str) -> (u16, &'static str, String) + Send + Sync + 'static,
) -> (Client, Arc<Mutex<u32>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(0));
    let counted = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let target = head.split(' ').nth(1).unwrap();
            let (path, query) = target.split_once('?').unwrap();
            assert_eq!(path, "/v2/logs");
            *counted.lock().unwrap() += 1;
            let (status, headers, body) = answer(query);
            let text = format!(
                "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            // A client that has read enough may be gone.
            let _ = stream.write_all(text.as_bytes()).await;
        }
    });
    let client = Client::builder().api_key("sk-test").base_url(url).timers(timers()).build().unwrap();
    (client, asked)
}

fn row(id: &str, status: &str, usd: Value) -> Value {
    json!({
        "created": "2026-08-19T08:15:30.000Z", "status": status, "origin": "api", "model": "openai/gpt-image-2",
        "cost": {"usd": usd, "credits": null}, "tokens": null, "request_id": null, "inference_id": "work",
        "client_request_id": id,
    })
}

fn page(rows: &[Value], has_more: bool) -> String {
    json!({"data": rows, "pagination": {"limit": 100, "offset": 0, "total": 1, "has_more": has_more}}).to_string()
}

async fn ask(client: &Client, id: &str, timeout: Duration) -> Reconciled {
    let mut answers = client.reconcile([id]).timeout(timeout).send().await.unwrap();
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

/// Enough for a first reading and a second.
const TWICE: Duration = Duration::from_millis(800);

#[tokio::test]
async fn a_lost_answer_is_found_as_charged_with_all_that_a_refund_needs() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::cut_response(0, Cut::Rst));
    let client = client(&emulator);
    let error = client.generate(&request()).send().await.unwrap_err();
    assert_eq!(error.charge(), Charge::Unknown);
    let answers = client.reconcile(error.attempts()).send().await.unwrap();
    let [answer] = &answers[..] else { panic!("{answers:#?}") };
    let entry = &emulator.ledger()[0];
    assert_eq!(answer.charge, Charge::Charged);
    assert_eq!(answer.cost.unwrap().usd.unwrap().to_string(), entry.charge.unwrap().usd());
    for part in [error.attempts()[0].client_request_id.as_str(), "refund", answer.inference_id.as_deref().unwrap()] {
        assert!(answer.message.contains(part), "{}", answer.message);
    }
    assert_eq!(emulator.charges(), 1, "asking is free");
}

#[tokio::test]
async fn a_failure_of_the_server_is_found_as_not_charged_and_frees_the_budget() {
    let emulator = Emulator::builder().start().await.unwrap();
    emulator.fault(Fault::answer(500));
    let budget = Budget::new("1".parse().unwrap());
    let client = config(&emulator).budget(&budget).build().unwrap();
    let error = client.generate(&request()).send().await.unwrap_err();
    assert_eq!((error.charge(), budget.status().assumed_usd), (Charge::Unknown, "0.5".parse().unwrap()));
    let answers = client.reconcile(error.attempts()).send().await.unwrap();
    assert_eq!(answers[0].charge, Charge::NotCharged, "{answers:#?}");
    assert!(budget.status().spent_usd.is_zero());
}

#[tokio::test]
async fn what_is_proved_already_is_not_asked_for() {
    let (client, asked) = log_of(|_| (500, "", String::new())).await;
    let emulator = pessimistic().await;
    emulator.fault(Fault::answer(400));
    let error = self::client(&emulator).generate(&request()).send().await.unwrap_err();
    let answers = client.reconcile(error.attempts()).send().await.unwrap();
    assert_eq!((answers[0].charge, *asked.lock().unwrap()), (Charge::NotCharged, 0));
    assert!(client.reconcile(Vec::<String>::new()).send().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_row_that_lands_late_is_waited_for() {
    let emulator = pessimistic().await;
    emulator.fault(Fault::cut_response(0, Cut::Fin));
    let lag = json!({"log_lag": "700ms"});
    emulator.set(lag.as_object().unwrap().clone()).unwrap();
    let client = client(&emulator);
    let outcome = client.generate(&request()).send().await;
    let id = &attempts(&outcome)[0].client_request_id;
    assert_eq!(ask(&client, id, Duration::ZERO).await.charge, Charge::Unknown, "no row proves nothing");
    assert_eq!(ask(&client, id, Duration::from_secs(20)).await.charge, Charge::Charged);
}

/// A log whose row changes with each reading; the last one stays.
async fn changing(rows: Vec<Vec<Value>>) -> (Client, Arc<Mutex<u32>>) {
    let readings = Mutex::new(rows.into_iter());
    let last = Mutex::new(String::new());
    log_of(move |_| {
        let mut last = last.lock().unwrap();
        if let Some(rows) = readings.lock().unwrap().next() {
            *last = page(&rows, false);
        }
        (200, "", last.clone())
    })
    .await
}

#[tokio::test]
async fn a_row_that_is_still_running_is_waited_for() {
    for word in ["running", "pending", "processing", "IN_PROGRESS", "in progress", "queued"] {
        let (client, asked) =
            changing(vec![vec![row("ours", word, Value::Null)], vec![row("ours", "succeeded", json!(0.05))]]).await;
        assert_eq!(ask(&client, "ours", Duration::from_secs(20)).await.charge, Charge::Charged, "{word}");
        assert_eq!(*asked.lock().unwrap(), 2, "{word}");
    }
    // Free is free only at its end.
    let (client, _) =
        changing(vec![vec![row("ours", "running", json!(0))], vec![row("ours", "failed", json!(0))]]).await;
    assert_eq!(ask(&client, "ours", Duration::from_secs(20)).await.charge, Charge::NotCharged);
}

#[tokio::test]
async fn a_row_that_runs_on_beyond_patience_is_said_to_be_running() {
    let (client, _) = changing(vec![vec![row("ours", "running", json!(0))]]).await;
    let answer = ask(&client, "ours", TWICE).await;
    assert_eq!(answer.charge, Charge::Unknown);
    assert!(answer.message.contains("still running") && answer.message.contains("ask again later"), "{answer:#?}");
    // Not even a moment: once.
    let (client, asked) = changing(vec![vec![row("ours", "running", json!(0))]]).await;
    assert!(ask(&client, "ours", Duration::ZERO).await.message.contains("still running"));
    assert_eq!(*asked.lock().unwrap(), 1);
}

#[tokio::test]
async fn rows_that_contradict_each_other_for_now_are_waited_for() {
    let (client, _) = changing(vec![
        vec![row("ours", "failed", Value::Null)],
        vec![row("ours", "failed", json!(0)), row("ours", "running", Value::Null)],
        vec![row("ours", "failed", json!(0)), row("ours", "succeeded", json!(0.05))],
    ])
    .await;
    assert_eq!(ask(&client, "ours", Duration::from_secs(20)).await.charge, Charge::Charged);
}

#[tokio::test]
async fn pages_are_turned() {
    // 250 rows; ours is the 200th, or it is not there.
    let answer = |query: &str| {
        assert!(query.contains("period=24h") && query.contains("limit=100"), "{query}");
        let offset: usize = query.rsplit('=').next().unwrap().parse().unwrap();
        let rows: Vec<_> = (offset..(offset + 100).min(250))
            .map(|number| {
                row(&if number == 200 { "ours".to_owned() } else { format!("call-{number}") }, "failed", json!(0))
            })
            .collect();
        (200, "", page(&rows, offset + 100 < 250))
    };
    let (client, asked) = log_of(answer).await;
    assert_eq!(ask(&client, "ours", Duration::ZERO).await.charge, Charge::NotCharged);
    assert_eq!(*asked.lock().unwrap(), 3);
    assert_eq!(ask(&client, "nobody's", Duration::ZERO).await.charge, Charge::Unknown);
    let (client, _) = log_of(|query| {
        assert!(query.contains("period=7d"), "{query}");
        (200, "", page(&[], false))
    })
    .await;
    drop(client.reconcile(["ours"]).period("7d").timeout(Duration::ZERO).send().await.unwrap());
}

#[tokio::test]
async fn an_absent_or_refusing_log_leaves_everything_unknown() {
    for (status, tries) in [(401, 1), (403, 1), (404, 1), (501, 2), (503, 2), (429, 2)] {
        let (client, asked) = log_of(move |_| (status, "", json!({"message": "no\u{1b}[31m"}).to_string())).await;
        let answer = ask(&client, "ours", TWICE).await;
        assert_eq!(answer.charge, Charge::Unknown);
        assert!(answer.message.contains(&status.to_string()), "{}", answer.message);
        assert!(!answer.message.chars().any(char::is_control), "{:?}", answer.message);
        assert_eq!(*asked.lock().unwrap(), tries, "{status}");
    }
    // Nobody there at all.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::builder().api_key("sk-test").base_url(url).build().unwrap();
    assert_eq!(ask(&client, "ours", Duration::ZERO).await.charge, Charge::Unknown);
}

#[tokio::test]
async fn a_limit_of_the_log_is_waited_out_if_patience_lasts() {
    let limited = Mutex::new(true);
    let (client, _) = log_of(move |_| {
        if std::mem::take(&mut *limited.lock().unwrap()) {
            return (429, "retry-after: 1\r\n", String::new());
        }
        (200, "", page(&[row("ours", "succeeded", json!(0.05))], false))
    })
    .await;
    assert_eq!(ask(&client, "ours", Duration::from_secs(20)).await.charge, Charge::Charged);
    let (client, asked) = log_of(|_| (429, "retry-after: 3600\r\n", String::new())).await;
    assert_eq!(ask(&client, "ours", Duration::from_secs(20)).await.charge, Charge::Unknown);
    assert_eq!(*asked.lock().unwrap(), 1, "an hour is not waited out");
}

#[tokio::test]
async fn a_lying_log_is_believed_only_where_it_leaves_no_other_reading() {
    let ours = |status: &str, usd: Value| page(&[row("ours", status, usd)], false);
    let cases = [
        ("failed, and paid for", ours("failed", json!(0.05)), Charge::Charged),
        ("failed, and nobody says for nothing", ours("failed", Value::Null), Charge::Unknown),
        ("failed, for a price that is none", ours("failed", json!("free")), Charge::Unknown),
        ("failed, for a negative price", ours("failed", json!(-1)), Charge::Unknown),
        ("a word nobody knows", ours("maybe", json!(0)), Charge::Unknown),
        (
            "both",
            page(&[row("ours", "failed", json!(0)), row("ours", "succeeded", json!(0.05))], false),
            Charge::Charged,
        ),
        ("another id that begins like ours", page(&[row("ours2", "failed", json!(0))], false), Charge::Unknown),
        ("no page", "[]".to_owned(), Charge::Unknown),
        ("no JSON", "<html>".to_owned(), Charge::Unknown),
        ("nothing", String::new(), Charge::Unknown),
        (
            "rows that are none",
            json!({"data": [1, null, "ours", {"client_request_id": 7}]}).to_string(),
            Charge::Unknown,
        ),
        ("deep", format!("{{\"data\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000)), Charge::Unknown),
        ("huge", page(&vec![row("other", "failed", json!(0)); 20_000], false), Charge::Unknown),
        ("for ever more", page(&[row("other", "failed", json!(0))], true), Charge::Unknown),
        ("for ever nothing", page(&[], true), Charge::Unknown),
    ];
    for (name, body, expected) in cases {
        let (client, asked) = log_of(move |_| (200, "", body.clone())).await;
        let answer = ask(&client, "ours", Duration::ZERO).await;
        // Threat: lying-log
        assert_eq!(answer.charge, expected, "{name}: {answer:#?}");
        assert!(*asked.lock().unwrap() <= 50, "{name}: it is not asked without end");
    }
}
