//! Campaigns: many experiments, several at a time.

use std::io;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::draw::draw;
use crate::experiment::Experiment;
use crate::run::{Report, run};
use crate::tally::Tally;
use crate::world::World;

/// Number of experiments that run at a time; most of them wait for something.
const AT_ONCE: usize = 64;
/// Maximum number of failures that are described in full.
const DESCRIBED: usize = 5;

/// The result of a campaign.
#[derive(Debug)]
pub struct Ended {
    /// Sums over all experiments.
    pub tally: Tally,
    /// Descriptions of the first failed experiments.
    pub failures: Vec<String>,
}

/// Runs experiments of `seed` until `calls` calls were made. `on_progress` gets the tally after each experiment.
///
/// # Errors
/// If an experiment cannot be set up.
pub async fn campaign(seed: u64, calls: u64, mut on_progress: impl FnMut(&Tally)) -> io::Result<Ended> {
    let world = Arc::new(World::new()?);
    let mut ended = Ended { tally: Tally::default(), failures: Vec::new() };
    let mut running = JoinSet::new();
    let (mut index, mut begun) = (0, 0);
    loop {
        while begun < calls && running.len() < AT_ONCE {
            let experiment = draw(seed, index);
            index += 1;
            begun += experiment.calls.len() as u64;
            let world = world.clone();
            running.spawn(async move {
                let report = run(&experiment, &world).await;
                (experiment, report)
            });
        }
        let Some(joined) = running.join_next().await else { return Ok(ended) };
        let (experiment, report) = joined.map_err(io::Error::other)?;
        let report = report?;
        ended.tally.add(&experiment, &report);
        if !report.judgement.wrong.is_empty() && ended.failures.len() < DESCRIBED {
            ended.failures.push(describe(&experiment, &report));
        }
        on_progress(&ended.tally);
    }
}

/// Describes an experiment completely: its plan, the callers' results and the ledger.
pub fn describe(experiment: &Experiment, report: &Report) -> String {
    let Report { observed, collected, ledger, judgement, .. } = report;
    let mut text = format!("{experiment}");
    judgement.wrong.iter().for_each(|wrong| text.push_str(&format!("  WRONG: {wrong}\n")));
    text.push_str(&format!("observed: {observed:#?}\ncollected: {collected:#?}\nledger: {ledger:#?}\n"));
    text
}
