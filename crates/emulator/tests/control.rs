//! The emulator itself over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod support;

use gptimage_emulator::{Emulator, ErrorForm};
use serde_json::{Value, json};
use support::*;

async fn emulator() -> Emulator {
    Emulator::builder().key("sk-test").canned(&b"picture"[..]).start().await.unwrap()
}

fn control(emulator: &Emulator, path: &str) -> String {
    format!("{}{path}", emulator.control_url())
}

async fn add(emulator: &Emulator, fault: &str) {
    let response = post(&control(emulator, "/faults"), fault).await;
    assert_eq!(response.status, 200, "{fault} {}", response.text());
}

#[tokio::test]
async fn help_shows_only_what_works() {
    let emulator = emulator().await;
    let help = get(emulator.control_url(), "").await;
    assert_eq!((help.status, help.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    let help = help.text();
    assert!(!help.contains("ORIGIN"));
    let mut faults = 0;
    for example in help.lines().filter(|line| line.starts_with("  {")) {
        let settings = example.contains("latency");
        let response = post(&control(&emulator, if settings { "/settings" } else { "/faults" }), example).await;
        assert_eq!(response.status, 200, "{example} {}", response.text());
        faults += usize::from(!settings);
    }
    let waiting = get(&control(&emulator, "/faults"), "").await.json();
    assert_eq!(
        waiting["waiting"]["calls"].as_u64().unwrap() + waiting["waiting"]["cdn"].as_u64().unwrap(),
        faults as u64
    );
    for form in ErrorForm::ALL {
        assert!(help.contains(form.as_str()), "{form}");
    }
    for line in help.lines().filter(|line| line.starts_with("GET ")) {
        let url = line.split_whitespace().nth(1).unwrap();
        assert_eq!(get(url, "").await.status, 200, "{url}");
    }
    let none = request(&control(&emulator, "/faults"), "DELETE", "").await;
    assert_eq!(none.json(), json!({"waiting": {"calls": 0, "cdn": 0}}));
}

#[tokio::test]
async fn faults_strike_as_told() {
    let emulator = emulator().await;
    let generate = generate_request(&emulator);
    add(&emulator, r#"[{"answer": {"status": 503, "body": "html"}, "on_call": 2},
        {"answer": {"status": 429, "headers": {"retry-after": "2", "x-twice": ["a", "b"]}, "body": "openai"}, "times": 2}]"#)
    .await;
    let first = call(&emulator, &generate).await;
    assert_eq!((first.status, first.header("retry-after")), (429, Some("2")));
    assert_eq!(first.headers.iter().filter(|(name, _)| name == "x-twice").count(), 2);
    assert_eq!(first.json()["error"]["message"], "Too Many Requests");
    assert_eq!(call(&emulator, &generate).await.header("content-type"), Some("text/html"));
    assert_eq!(call(&emulator, &generate).await.status, 429);
    assert_eq!(call(&emulator, &generate).await.status, 200);

    add(&emulator, r#"{"answer": {"status": 500}, "on_client_request_id": "b:1", "times": "always"}"#).await;
    let with_id = String::from_utf8(generate.clone()).unwrap();
    let with_id = with_id.replacen("\r\n\r\n", "\r\nX-Client-Request-Id: b:1\r\n\r\n", 1);
    for _ in 0..2 {
        assert_eq!(call(&emulator, with_id.as_bytes()).await.status, 500);
    }
    assert_eq!(call(&emulator, &generate).await.status, 200);

    add(&emulator, r#"{"cut_response": {"after": 17, "cut": "rst"}, "delay": "1ms"}"#).await;
    let (raw, end) = exchange(emulator.base_url(), &generate).await;
    assert_eq!((raw.len(), end), (17, End::Reset));
    add(&emulator, r#"{"raw": {"response": {"base64": "AAECAw=="}}}"#).await;
    assert_eq!(exchange(emulator.base_url(), &generate).await, (vec![0, 1, 2, 3], End::Fin));
    add(&emulator, r#"{"success_body": {"json": {"data": []}}}"#).await;
    assert_eq!(call(&emulator, &generate).await.text(), r#"{"data":[]}"#);
    add(&emulator, r#"{"answer": {"status": 413, "early": {"after": 0, "manner": "drain"}}}"#).await;
    assert_eq!(call(&emulator, &generate).await.status, 413);
    add(&emulator, r#"{"answer": {"status": 500}, "charged": true}"#).await;
    let before = emulator.charges();
    assert_eq!(call(&emulator, &generate).await.status, 500);
    assert_eq!(emulator.charges(), before + 1);
}

#[tokio::test]
async fn downloads_have_faults_too() {
    let emulator = emulator().await;
    let body = format!(r#"{{"model":"{MODEL}","prompt":"x"}}"#);
    let url = generate(&emulator, &body).await.json()["data"][0]["url"].as_str().unwrap().to_owned();
    add(&emulator, r#"[{"cdn": {"status": 404, "times": 2}}, {"cdn": {"body": "<html>"}}]"#).await;
    let answers = [get(&url, "").await, get(&url, "").await, get(&url, "").await, get(&url, "").await];
    assert_eq!(answers.each_ref().map(|answer| answer.status), [404, 404, 200, 200]);
    assert_eq!((answers[2].text().as_str(), answers[3].text().as_str()), ("<html>", "picture"));
}

#[tokio::test]
async fn what_is_not_understood_is_refused_whole() {
    let emulator = emulator().await;
    for (body, field, says) in [
        ("nope", "body", "not JSON"),
        ("5", "body", "JSON object"),
        ("[5]", "[0]", "JSON object"),
        ("{}", "body", "`answer`"),
        (r#"{"answr": 1}"#, "answr", "`answer`"),
        (r#"{"answer": 503}"#, "answer", "object such as"),
        (r#"{"answer": {}}"#, "answer", "`status`"),
        (r#"{"answer": {"status": "x"}}"#, "answer.status", "a whole number"),
        (r#"{"answer": {"status": 99}}"#, "answer.status", "200 to 599"),
        (r#"{"answer": {"status": 500, "body": "xml"}}"#, "answer.body", "problem, documented"),
        (r#"{"answer": {"status": 500, "body": {"xml": {}}}}"#, "answer.body", "`problem_list`"),
        (r#"{"answer": {"status": 500, "body": {"nest": {"messages": "x"}}}}"#, "answer.body", "a list"),
        (r#"{"answer": {"status": 500, "headers": {"a b": "x"}}}"#, "answer.headers", "use `raw`"),
        (r#"{"answer": {"status": 500, "headers": {"a": 1}}}"#, "answer.headers.a", "a text"),
        (
            r#"{"answer": {"status": 500, "body": "html", "raw_body": {"content_type": "a", "content": "b"}}}"#,
            "body",
            "exclude",
        ),
        (
            r#"{"answer": {"status": 500, "early": {"after": 0, "manner": "rude"}}}"#,
            "answer.early.manner",
            "`half_close`",
        ),
        (r#"{"answer": {"status": 500}, "success_body": ""}"#, "body", "exclude"),
        (r#"{"success_body": {"base64": "!"}}"#, "success_body", "base64"),
        (r#"{"delay": "soon"}"#, "delay", "150ms"),
        (r#"{"delay": -1}"#, "delay", "150ms"),
        (r#"{"cut_request": {"after": -1, "cut": "fin"}}"#, "cut_request.after", "a whole number"),
        (r#"{"cut_request": {"after": 1, "cut": "axe"}}"#, "cut_request.cut", "`silence`"),
        (r#"[{"delay": "1s"}, {"pauses": [{"after": 1}]}]"#, "[1].pauses[0]", "`pause`"),
        (r#"{"delay": "1s", "times": 0}"#, "times", "always"),
        (r#"{"delay": "1s", "on_call": 0}"#, "on_call", "nonzero"),
        (r#"{"delay": "1s", "on_call": 1, "on_client_request_id": "a"}"#, "body", "exclude"),
        (r#"{"cdn": {}}"#, "cdn", "`status`"),
        (r#"{"cdn": {"statu": 1}}"#, "cdn.statu", "`status`"),
        (r#"{"cdn": {"status": 404}, "times": 2}"#, "times", "write it into it"),
        (r#"[{"cdn": {"status": 404, "redirect": "x"}}]"#, "[0].cdn", "exclude"),
    ] {
        let response = post(&control(&emulator, "/faults"), body).await;
        assert_eq!(response.status, 400, "{body}");
        let error = response.json()["error"].clone();
        assert_eq!(error["field"], field, "{body} {error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{body} {error}");
        assert!(error["help"].as_str().unwrap().contains(emulator.control_url()));
    }
    assert_eq!(get(&control(&emulator, "/faults"), "").await.json()["waiting"], json!({"calls": 0, "cdn": 0}));
    for (method, path, status) in [
        ("GET", "/nothing", 404),
        ("PUT", "/faults", 405),
        ("POST", "/ledger", 405),
        ("GET", "/ledger?setled=true", 400),
        ("GET", "/ledger?settled=perhaps", 400),
    ] {
        let response = request(&control(&emulator, path), method, "").await;
        assert_eq!((response.status, response.json()["error"]["help"].is_string()), (status, true), "{method} {path}");
    }
}

#[tokio::test]
async fn the_truth_is_readable() {
    let emulator = emulator().await;
    assert_eq!(call(&emulator, &generate_request(&emulator)).await.status, 200);
    let ledger = get(&control(&emulator, "/ledger?settled=true"), "").await.json();
    assert_eq!((&ledger["charges"], &ledger["balance_usd"]), (&json!(1), &json!("999.9463295")));
    let entry = &ledger["entries"][0];
    assert_eq!(entry["charge"], json!({"credits": 107_341, "usd": "0.0536705"}));
    assert_eq!(
        (&entry["operation"], &entry["delivered"], &entry["seq"]),
        (&json!("generate"), &json!(true), &json!(1))
    );
    // Every field that the ledger has in-process.
    let fields = entry.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(fields.len(), 16, "{fields:?}");
    assert_eq!(
        get(&control(&emulator, "/balance"), "").await.json(),
        json!({"balance_usd": "999.9463295", "charges": 1})
    );
    let requests = get(&control(&emulator, "/requests"), "").await;
    assert!(!requests.text().contains("sk-test"), "keys are not shown");
    let requests = requests.json();
    // Its own requests are not recorded.
    assert_eq!(requests.as_array().unwrap().len(), 1);
    assert!(requests[0]["body"].as_str().unwrap().contains("A crown") && requests[0]["body_base64"].is_null());
    let image = png(8, 8, |_, _| [1, 2, 3, 255]);
    call(&emulator, &Form::edit().file("image", "a.png", "image/png", &image).request(&emulator)).await;
    let edit = get(&control(&emulator, "/requests"), "").await.json()[1].clone();
    let decoded = base64_simd::STANDARD.decode_to_vec(edit["body_base64"].as_str().unwrap()).unwrap();
    assert_eq!((edit["body"].is_null(), decoded.len() as u64), (true, edit["body_len"].as_u64().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settled_ledger_is_waited_for() {
    use tokio::io::AsyncWriteExt;
    let emulator = emulator().await;
    for round in 1..=50 {
        let mut socket = connect(emulator.base_url()).await;
        socket.write_all(&generate_request(&emulator)).await.unwrap();
        drop(socket);
        let ledger = get(&control(&emulator, "/ledger?settled=true"), "").await.json();
        assert_eq!((&ledger["charges"], ledger["entries"].as_array().unwrap().len()), (&json!(round), round));
    }
}

#[tokio::test]
async fn settings_are_changed_one_by_one() {
    let emulator = emulator().await;
    let url = control(&emulator, "/settings");
    let defaults = json!({
        "latency": null, "log_lag": "0s", "url_expiry": null, "error_form": "problem", "price_headers": true
    });
    assert_eq!(get(&url, "").await.json(), defaults);
    let changed = post(&url, r#"{"price_headers": false, "latency": 0.001}"#).await.json();
    assert_eq!(
        (&changed["price_headers"], &changed["latency"], &changed["log_lag"]),
        (&json!(false), &json!("1ms"), &json!("0s"))
    );
    let response = call(&emulator, &generate_request(&emulator)).await;
    assert!(response.status == 200 && response.header("x-aimlapi-usd-spent").is_none());
    for (body, field) in [
        (r#"{"latencyy": 1}"#, "latencyy"),
        (r#"{"latency": "80s..45s"}"#, "latency"),
        (r#"{"url_expiry": "1s", "error_form": "xml"}"#, "error_form"),
        (r#"{"log_lag": null}"#, "log_lag"),
        ("[]", "body"),
    ] {
        let response = post(&url, body).await;
        assert_eq!((response.status, &response.json()["error"]["field"]), (400, &json!(field)), "{body}");
    }
    assert_eq!(get(&url, "").await.json(), changed, "a refused change changes nothing");
}

#[tokio::test]
async fn its_own_refusals_have_every_form() {
    for (form, status, content_type, check) in [
        (ErrorForm::Problem, 400, "application/problem+json; charset=utf-8", "/error/data/0/path/0"),
        (ErrorForm::Documented, 400, "application/json; charset=utf-8", "/statusCode"),
        (ErrorForm::Nest, 400, "application/json; charset=utf-8", "/message/0"),
        (ErrorForm::OpenAi, 400, "application/json; charset=utf-8", "/error/param"),
        (ErrorForm::ErrorObject, 200, "application/json; charset=utf-8", "/error/code"),
    ] {
        let emulator = Emulator::builder().error_form(form).key("sk-test").start().await.unwrap();
        let response = generate(&emulator, r#"{"model": "openai/gpt-image-2", "size": "1x1"}"#).await;
        assert_eq!((response.status, response.header("content-type")), (status, Some(content_type)), "{form}");
        let said = response.json().pointer(check).and_then(Value::as_str).map(str::to_owned);
        assert!(said.is_some_and(|said| !said.is_empty()), "{form} {}", response.text());
        assert!(response.text().contains("prompt") || form == ErrorForm::ErrorObject, "{form}");
        let billing = get(&format!("{}/billing", emulator.base_url().replace("/v1", "/v2")), "").await;
        assert_eq!(billing.status, if form == ErrorForm::ErrorObject { 200 } else { 401 });
        emulator.wait_idle().await;
        assert_eq!((emulator.charges(), emulator.ledger()[0].status), (0, Some(status)));
    }
    for (form, body) in [(ErrorForm::Html, "<html>"), (ErrorForm::Empty, "")] {
        let emulator = Emulator::builder().error_form(form).start().await.unwrap();
        let response = generate(&emulator, "{}").await;
        assert!(response.status == 400 && response.text().starts_with(body), "{form}");
        assert!(response.header("x-request-id").is_none());
    }
}
