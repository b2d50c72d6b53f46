//! The plain way of most clients: read the whole response, parse the JSON, decode the base64, write the file.
#![allow(clippy::disallowed_types, reason = "what is compared here is reqwest without gptimage")]

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::job::{Idle, Job};

#[derive(Deserialize)]
struct Answer {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    b64_json: String,
}

/// Makes all calls at once, on the runtime that `#[tokio::main]` creates.
pub(crate) fn at_once(job: &Job) -> Result<Idle, Failure> {
    let client = reqwest::Client::builder().tls_backend_preconfigured(no_tls()?).no_proxy().build()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let idle = Idle::now()?;
    let url = format!("{}/v1/images/generations", job.url);
    runtime.block_on(async {
        let mut calls = JoinSet::new();
        for number in 0..job.count {
            calls.spawn(call(client.clone(), url.clone(), job.picture(number)));
        }
        while let Some(saved) = calls.join_next().await {
            saved??;
        }
        Ok::<_, Failure>(())
    })?;
    Ok(idle)
}

/// A TLS configuration without certificates: plain http needs none, and a bare machine may have no trust store.
fn no_tls() -> Result<rustls::ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

async fn call(client: reqwest::Client, url: String, path: PathBuf) -> Result<(), Failure> {
    let request = r#"{"model":"openai/gpt-image-2","prompt":"A T-Rex relaxing on a beach"}"#;
    let request = client.post(url).header("content-type", "application/json").body(request);
    let body = request.send().await?.error_for_status()?.bytes().await?;
    let answer: Answer = serde_json::from_slice(&body)?;
    let entry = answer.data.first().ok_or("no picture")?;
    let picture = base64_simd::STANDARD.decode_to_vec(&entry.b64_json)?;
    Ok(std::fs::write(path, picture)?)
}
