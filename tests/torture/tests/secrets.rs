//! Searches for a canary key in everything that anyone but the gateway can see.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gptimage_core::{CancelToken, Client, GenerateRequest, ResponseFormat};
use gptimage_emulator::{Billing, Side};
use gptimage_torture::judge::Outcome;
use gptimage_torture::run::contains;
use gptimage_torture::scripted::ScriptedServer;
use gptimage_torture::world::{World, patient};
use tracing::field::{Field, Visit};
use tracing::span;

const CANARY: &str = "sk-canary-7d09ae";

/// Collects all log records of this process, at every level.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn add(&self, line: impl fmt::Display) {
        writeln!(self.0.lock().unwrap(), "{line}").unwrap();
    }
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _metadata: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut fields = Fields(attributes.metadata().name().to_owned());
        attributes.record(&mut fields);
        self.add(fields.0);
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, values: &span::Record<'_>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        self.add(fields.0);
    }

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(format!("{} {}:", event.metadata().level(), event.metadata().target()));
        event.record(&mut fields);
        self.add(fields.0);
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

/// Receives the records of libraries that use the `log` crate.
impl log::Log for Log {
    fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.add(format_args!("{} {}: {}", record.level(), record.target(), record.args()));
    }

    fn flush(&self) {}
}

/// Server scripts for the API and for downloads. `KEY` stands for the key, because some servers repeat what they
/// received.
const SCRIPTS: &[(&[&str], &[&str])] = &[
    (&[], &[]),
    (&["read whole; send status 401 problem 'x-request-id: KEY' 'x-inference-id: KEY'"], &[]),
    (
        &[
            "read whole; send 'HTTP/1.1 401 KEY\\r\\nKEY: KEY\\r\\ncontent-length: 41\\r\\n\\r\\n{\"message\":\"wrong key KEY\"}              '",
        ],
        &[],
    ),
    (
        &[
            "read whole; send 'HTTP/1.1 400 No\\r\\n\\r\\n{\"error\":{\"message\":\"KEY\",\"type\":\"KEY\",\"code\":\"KEY\"},\"requestId\":\"KEY\"}'",
        ],
        &[],
    ),
    (&["read whole; send 'HTTP/1.1 502 No\\r\\n\\r\\n<p>Authorization: Bearer KEY</p>'"], &[]),
    (
        &["read whole; send json '{\"data\":[{\"revised_prompt\":\"KEY\",\"url\":\"CDN/KEY.png\"}],\"KEY\":\"KEY\"}'"],
        &[],
    ),
    (&["read whole; send json '{\"data\":[{\"url\":\"http://KEY@127.0.0.1/a.png\"}]}'"], &[]),
    (&["read whole; send json '{\"data\":[{\"b64_json\":\"KEY\"}],\"broken\":\"KEY'"], &[]),
    (&["read whole; send json '{\"error\":{\"message\":\"KEY\"}}'"], &[]),
    (&["read whole; send 'KEY\\r\\n\\r\\n'"], &[]),
    (&["read whole; send status 307 empty 'location: CDN/KEY'"], &[]),
    (&["read whole; send status 429 documented 'retry-after: KEY'"], &[]),
    (&["read whole; send 'HTTP/1.1 200 OK\\r\\nx-aimlapi-usd-spent: KEY\\r\\nx-request-id: KEY\\r\\n\\r\\n{}'"], &[]),
    (&["read 20; cut rst", "read whole; cut fin"], &[]),
    (&["read whole; send link"], &["read head; send status 403 html 'x: KEY'"]),
    (&["read whole; send link"], &["read head; send picture ..200; cut rst", "read head; send picture"]),
    (&["read whole; send link"], &["read head; send status 302 empty 'location: http://KEY@127.0.0.1/'"]),
    (&["read whole; send link"], &["read head; send status 302 empty 'location: /elsewhere'"]),
];

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Ok(generated) => format!(
            "{generated:?} {} {} {:?}",
            serde_json::to_string(generated).unwrap(),
            generated.response(),
            generated.warnings()
        ),
        Err(error) => {
            let mut text = format!("{error} {error:?} {} ", serde_json::to_string(error).unwrap());
            let _ = write!(text, "{:?} {:?}", error.response_body(), error.generated());
            let mut cause = std::error::Error::source(error);
            while let Some(source) = cause {
                let _ = write!(text, "{source} {source:?}");
                cause = source.source();
            }
            text
        }
    }
}

#[tokio::test]
async fn the_key_is_seen_by_the_gateway_alone() {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    log::set_logger(Box::leak(Box::new(log.clone()))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let panics = log.clone();
    std::panic::set_hook(Box::new(move |panic| panics.add(format_args!("PANIC {panic}"))));

    let world = World::new().unwrap();
    let folder = world.folder().unwrap();
    let mut visible: Vec<(String, Vec<u8>)> = Vec::new();
    let mut gateways_saw_it = 0;
    for (number, (api, cdn)) in SCRIPTS.iter().enumerate() {
        for (format, encrypted) in [(ResponseFormat::Url, false), (ResponseFormat::B64Json, true)] {
            let mut builder = ScriptedServer::builder().billing(Billing::Pessimistic);
            if encrypted {
                builder = builder.tls(&world.authority);
            }
            let server = builder.start().await.unwrap();
            for (side, scripts) in [(Side::Api, api), (Side::Cdn, cdn)] {
                for text in *scripts {
                    let text = text.replace("KEY", CANARY).replace("CDN", server.cdn_url());
                    server.script(side, text.parse().unwrap());
                }
            }
            let config = Client::builder().api_key(CANARY).header("X-Team", CANARY).ca_file(&world.ca_file);
            let config = config.base_url(server.base_url()).timers(patient());
            let name = format!("script {number} {encrypted}");
            visible.push((name.clone(), format!("{config:?}").into_bytes()));
            let client = config.build().unwrap();
            let request = GenerateRequest::builder("A T-Rex").response_format(format).build().unwrap();
            let target = folder.path().join(format!("{number}-{encrypted}.png"));
            let call = client.generate(&request).save_to(&target);
            visible.push((name.clone(), format!("{client:?} {call:?}").into_bytes()));
            let outcome = call.send().await;
            visible.push((name.clone(), shown(&outcome).into_bytes()));
            visible.push((name.clone(), client.generate(&request).dry_run().unwrap().into_bytes()));
            visible.push((name.clone(), format!("{:?}", client.balance().await).into_bytes()));
            // Callers that stop waiting: by a deadline, and by a token.
            server.script(Side::Api, "read whole; pause 30ms; cut rst".parse().unwrap());
            let late = client.generate(&request).deadline(Duration::from_millis(10)).send().await;
            let token = CancelToken::new();
            token.cancel();
            let cancelled = client.generate(&request).cancel(&token).send().await;
            client.drain().await;
            server.wait_idle().await;
            for outcome in [late, cancelled].into_iter().chain(client.collect()) {
                visible.push((name.clone(), shown(&outcome).into_bytes()));
            }
            gateways_saw_it += usize::from(contains(&server.received(Side::Api), CANARY.as_bytes()));
            visible.push((format!("{name}: downloads"), server.received(Side::Cdn)));
        }
    }
    let _ = std::panic::take_hook();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        visible.push((path.display().to_string(), std::fs::read(&path).unwrap()));
    }
    let log = log.0.lock().unwrap().clone();
    // Guards against a test without effect: the gateways received the key, and the log has records of all libraries.
    assert_eq!(gateways_saw_it, SCRIPTS.len() * 2);
    for heard in ["gptimage_core", "reqwest", "TRACE"] {
        assert!(log.contains(heard), "nothing was heard of {heard}");
    }
    assert!(!log.contains("PANIC"), "{}", log.lines().find(|line| line.contains("PANIC")).unwrap());
    visible.extend(log.lines().map(|line| ("the log".to_owned(), line.as_bytes().to_vec())));
    for (place, bytes) in visible {
        // Threat: key-printed
        assert!(!contains(&bytes, CANARY.as_bytes()), "in {place}: {}", String::from_utf8_lossy(&bytes));
    }
}
