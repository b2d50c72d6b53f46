//! gptimage-core as programs use it: its async client on one current-thread runtime.

use gptimage_core::{Client, EditRequest, GenerateRequest};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::job::{Idle, Job};

fn set_up(job: &Job) -> Result<(Client, Runtime), Failure> {
    let client = Client::builder().api_key("key").base_url(&job.url).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok((client, runtime))
}

/// Makes calls one after another.
pub(crate) fn in_turn(job: &Job) -> Result<Idle, Failure> {
    let (client, runtime) = set_up(job)?;
    let idle = Idle::now()?;
    let request = GenerateRequest::builder("A T-Rex relaxing on a beach").build()?;
    runtime.block_on(async {
        for number in 0..job.count {
            client.generate(&request).save_to(job.picture(number)).send().await?;
        }
        Ok::<_, Failure>(())
    })?;
    Ok(idle)
}

/// Makes all calls at once.
pub(crate) fn at_once(job: &Job) -> Result<Idle, Failure> {
    let (client, runtime) = set_up(job)?;
    let idle = Idle::now()?;
    let request = GenerateRequest::builder("A T-Rex relaxing on a beach").build()?;
    runtime.block_on(async {
        let mut calls = JoinSet::new();
        for number in 0..job.count {
            calls.spawn(client.generate(&request).save_to(job.picture(number)).send());
        }
        while let Some(generated) = calls.join_next().await {
            generated??;
        }
        Ok::<_, Failure>(())
    })?;
    Ok(idle)
}

/// Makes one edit with many files.
pub(crate) fn edit(job: &Job) -> Result<Idle, Failure> {
    let (client, runtime) = set_up(job)?;
    let idle = Idle::now()?;
    let request = EditRequest::builder("Put a crown on the T-Rex's head", job.inputs()).build()?;
    runtime.block_on(async { client.edit(&request).save_to(job.picture(0)).send().await })?;
    Ok(idle)
}
