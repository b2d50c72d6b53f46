//! One call with every timer divided, so that tests/faults/network.py need not wait for minutes. It stands for the command,
//! whose timers are the real ones, and says what that says with `--json`.
//!
//!     scaled_call BASE_URL FILE DIVISOR
#![allow(clippy::print_stdout, reason = "it is a program")]

use std::process::ExitCode;
use std::time::Duration;

use gptimage_core::{Client, Error, GenerateRequest, Generated, ResponseFormat, Timers};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base_url, file, divisor] = &arguments[..] else { return ExitCode::from(2) };
    let outcome = call(base_url, file, divisor.parse().map_or(1, |divisor: u32| divisor.max(1))).await;
    let (line, code) = match &outcome {
        Ok(generated) => (json!(generated), 0),
        Err(error) => (json!({ "error": error }), u8::try_from(error.kind().number()).unwrap_or(1)),
    };
    println!("{line}");
    code.into()
}

async fn call(base_url: &str, file: &str, divisor: u32) -> Result<Generated, Error> {
    let client = Client::builder().read_env().base_url(base_url).allow_http(true).timers(divided(divisor)).build()?;
    let request =
        GenerateRequest::builder("A T-Rex relaxing on a beach").response_format(ResponseFormat::B64Json).build()?;
    client.generate(&request).save_to(file).send().await
}

/// The default timers, the system's in whole seconds, as it counts them.
fn divided(divisor: u32) -> Timers {
    let mut timers = Timers::default();
    let whole = |timer: Duration| Duration::from_secs((timer / divisor).as_secs().max(1));
    timers.connect = whole(timers.connect);
    timers.write /= divisor;
    timers.response_header /= divisor;
    timers.read /= divisor;
    timers.initial_backoff /= divisor;
    timers.max_backoff /= divisor;
    timers.tcp_keepalive_idle = whole(timers.tcp_keepalive_idle);
    timers.tcp_keepalive_interval = whole(timers.tcp_keepalive_interval);
    timers.tcp_user_timeout = whole(timers.tcp_user_timeout);
    timers
}
