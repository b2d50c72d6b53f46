//! Runs an experiment over real sockets.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::scripted::ScriptedServer;
use gptimage_core::{CancelToken, Client, EditRequest, GenerateRequest, ImageInput, ResponseFormat};
use gptimage_emulator::{Billing, LedgerEntry, Side};
use tokio::time::{sleep, timeout};

use crate::experiment::{CallSpec, Caller, Experiment, ScriptedFault};
use crate::judge::{Evidence, Judgement, Observed, Outcome, judge};
use crate::world::{KEY, World, padded, timers};

/// Maximum duration of a call, whatever the server does.
pub const CAP: Duration = Duration::from_secs(30);
const MAX_ATTEMPTS: u32 = 3;

/// The results of an experiment.
#[derive(Debug)]
pub struct Report {
    /// One entry per call.
    pub observed: Vec<Observed>,
    /// The results returned by `collect` afterwards.
    pub collected: Vec<Outcome>,
    /// The server's ledger.
    pub ledger: Vec<LedgerEntry>,
    /// How often each fault occurred.
    pub faults: BTreeMap<&'static str, u64>,
    /// The judge's verdict.
    pub judgement: Judgement,
}

/// Runs an experiment and judges it.
///
/// # Errors
/// If a server, client or folder cannot be created, which is not a result of the experiment.
pub async fn run(experiment: &Experiment, world: &World) -> io::Result<Report> {
    let picture = world.pictures.get(experiment.picture).cloned().unwrap_or_default();
    let mut builder = ScriptedServer::builder()
        .billing(Billing::Pessimistic)
        .key(KEY)
        .picture(picture.clone())
        .pictures(experiment.pictures);
    if experiment.tls {
        builder = builder.tls(&world.authority);
    }
    let server = Arc::new(builder.start().await?);
    experiment.api.iter().for_each(|drawn| server.script(Side::Api, drawn.script.clone()));
    experiment.cdn.iter().for_each(|drawn| server.script(Side::Cdn, drawn.script.clone()));
    let mut config =
        Client::builder().api_key(KEY).base_url(server.base_url()).timers(timers()).max_attempts(MAX_ATTEMPTS);
    if experiment.tls {
        config = config.ca_file(&world.ca_file);
    }
    let client = config.build().map_err(io::Error::other)?;
    let folder = experiment.calls.iter().any(|call| call.to_file).then(|| world.folder()).transpose()?;

    let mut wrong = Vec::new();
    let mut calls = tokio::task::JoinSet::new();
    for (number, order) in experiment.calls.iter().enumerate() {
        let mut call = prepare(&client, order, experiment)?;
        if let (true, Some(folder)) = (order.to_file, &folder) {
            call = call.save_to(folder.path().join(format!("call-{number}.png")));
        }
        let (server, caller) = (server.clone(), order.caller);
        calls.spawn(async move { (number, timeout(CAP, wait(call, caller, &server)).await) });
    }
    let mut observed: Vec<_> = experiment.calls.iter().map(|_| Observed::CallerGone).collect();
    while let Some(joined) = calls.join_next().await {
        match joined {
            Ok((number, Ok(ended))) => {
                if let Some(place) = observed.get_mut(number) {
                    *place = ended;
                }
            }
            Ok((number, Err(_))) => wrong.push(format!("call {number} did not end within {CAP:?}")),
            Err(error) => wrong.push(format!("a call panicked: {error}")),
        }
    }
    let settled = timeout(CAP, async {
        client.drain().await;
        server.wait_idle().await;
    });
    if settled.await.is_err() {
        wrong.push(format!("calls or connections were still at work after {CAP:?}"));
    }
    let (collected, ledger) = (client.collect(), server.ledger());
    let evidence = Evidence {
        observed: &observed,
        collected: &collected,
        ledger: &ledger,
        picture: &picture,
        max_attempts: MAX_ATTEMPTS,
    };
    let mut judgement = judge(&evidence);
    judgement.wrong.append(&mut wrong);
    if contains(&server.received(Side::Cdn), KEY.as_bytes()) {
        judgement.wrong.push("a download carried the key".to_owned());
    }
    if let Some(folder) = &folder {
        let answers = kept_answers(&observed, &collected);
        judgement.wrong.extend(judge_folder(folder.path(), &picture, &answers).await);
    }
    let faults = count_faults(experiment, &server);
    Ok(Report { observed, collected, ledger, faults, judgement })
}

fn prepare(client: &Client, order: &CallSpec, experiment: &Experiment) -> io::Result<gptimage_core::Call> {
    let format = if experiment.cdn.is_empty() { ResponseFormat::B64Json } else { ResponseFormat::Url };
    Ok(match order.upload {
        None => {
            let request = GenerateRequest::builder("A T-Rex").response_format(format).build();
            client.generate(&request.map_err(io::Error::other)?)
        }
        Some(bytes) => {
            let builder = EditRequest::builder("A crown", [ImageInput::bytes(padded(bytes))]).response_format(format);
            let builder = builder.n(u32::try_from(experiment.pictures).unwrap_or(1));
            client.edit(&builder.build().map_err(io::Error::other)?)
        }
    })
}

async fn wait(call: gptimage_core::Call, caller: Caller, server: &ScriptedServer) -> Observed {
    let observed = |outcome| Observed::Outcome(Box::new(outcome));
    match caller {
        Caller::Waits => observed(call.send().await),
        Caller::Deadline(deadline) => observed(call.deadline(deadline).send().await),
        Caller::DropsAfter(after) => gone_when(sleep(after), call).await,
        Caller::DropsAtMark => gone_when(server.marked(1), call).await,
        Caller::CancelsAfter(after) => observed(cancelled_when(sleep(after), call).await),
        Caller::CancelsAtMark => observed(cancelled_when(server.marked(1), call).await),
    }
}

async fn gone_when(moment: impl Future<Output = ()>, call: gptimage_core::Call) -> Observed {
    tokio::select! {
        outcome = call.send() => Observed::Outcome(Box::new(outcome)),
        () = moment => Observed::CallerGone,
    }
}

async fn cancelled_when(moment: impl Future<Output = ()>, call: gptimage_core::Call) -> Outcome {
    let token = CancelToken::new();
    let mut call = call.cancel(&token).send();
    tokio::select! {
        outcome = &mut call => return outcome,
        () = moment => token.cancel(),
    }
    call.await
}

/// Returns the files of unusable responses, as named by errors.
fn kept_answers(observed: &[Observed], collected: &[Outcome]) -> Vec<PathBuf> {
    let observed = observed.iter().filter_map(|observed| match observed {
        Observed::Outcome(outcome) => Some(outcome.as_ref()),
        Observed::CallerGone => None,
    });
    let errors = observed.chain(collected).filter_map(|outcome| outcome.as_ref().err());
    errors.filter_map(|error| error.response_file().map(Path::to_owned)).collect()
}

/// Checks that files under final names are complete images, and that nothing else is left except responses that
/// errors name.
async fn judge_folder(folder: &Path, picture: &[u8], answers: &[PathBuf]) -> Vec<String> {
    let find_leftovers = || -> io::Result<Vec<String>> {
        let mut wrong = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if std::fs::read(&path)? != picture && !answers.contains(&path) {
                wrong.push(format!("{} is left, and is not the picture", path.display()));
            }
        }
        Ok(wrong)
    };
    // The temporary file of a dropped call is removed by a background thread, so wait for that.
    for _ in 0..500 {
        match find_leftovers() {
            Ok(wrong) if wrong.is_empty() => return wrong,
            // A file may be removed while the folder is read.
            Ok(_) | Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
    find_leftovers().unwrap_or_else(|error| vec![format!("the folder cannot be read: {error}")])
}

fn count_faults(experiment: &Experiment, server: &ScriptedServer) -> BTreeMap<&'static str, u64> {
    let mut faults = BTreeMap::new();
    for (side, all) in [(Side::Api, &experiment.api), (Side::Cdn, &experiment.cdn)] {
        let met = usize::try_from(server.connections(side)).unwrap_or(usize::MAX);
        for drawn in all.iter().take(met).filter(|drawn| drawn.fault != ScriptedFault::NONE) {
            *faults.entry(drawn.fault).or_default() += 1;
        }
    }
    for order in experiment.calls.iter().filter(|order| order.caller != Caller::Waits) {
        let fault = match order.caller {
            Caller::Deadline(_) => "deadline",
            Caller::DropsAfter(_) | Caller::DropsAtMark => "future dropped",
            _ => "cancelled",
        };
        *faults.entry(fault).or_default() += 1;
    }
    faults
}

/// Returns whether `haystack` contains `needle`.
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len().max(1)).any(|window| window == needle)
}
