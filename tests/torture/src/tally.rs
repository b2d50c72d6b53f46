//! The counts of a campaign, and how they are printed.

use std::collections::BTreeMap;
use std::fmt;

use gptimage_core::Charge;

use crate::experiment::Experiment;
use crate::judge::Observed;
use crate::run::Report;

/// Sums over all experiments.
#[derive(Debug, Default, Clone)]
#[non_exhaustive]
pub struct Tally {
    /// Experiments that were run.
    pub experiments: u64,
    /// Experiments with an error.
    pub failed: u64,
    /// Calls made.
    pub calls: u64,
    /// Calls that were edits.
    pub edits: u64,
    /// Calls over TLS.
    pub tls: u64,
    /// Calls that save to files.
    pub to_files: u64,
    /// Charges in the ledgers.
    pub charges: u64,
    /// Charges beyond the first of a call.
    pub duplicates: u64,
    /// Charges that no caller was told about.
    pub lost: u64,
    /// Charges for attempts reported as not charged.
    pub wrongly_free: u64,
    /// Client request ids that the servers saw.
    pub seen: u64,
    /// Of these, ids that are in attempt lists.
    pub reported: u64,
    /// The remaining ids: their callers had gone, and nothing was charged.
    pub gone: u64,
    /// Results that were collected after their callers had gone.
    pub collected: u64,
    /// How often each fault occurred.
    pub faults: BTreeMap<&'static str, u64>,
    /// The callers' results, by kind and charge.
    pub outcomes: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, experiment: &Experiment, report: &Report) {
        let count = |matches: &dyn Fn(&crate::experiment::CallSpec) -> bool| {
            experiment.calls.iter().filter(|order| matches(order)).count() as u64
        };
        self.experiments += 1;
        self.failed += u64::from(!report.judgement.wrong.is_empty());
        self.calls += experiment.calls.len() as u64;
        self.edits += count(&|order| order.upload.is_some());
        self.tls += if experiment.tls { experiment.calls.len() as u64 } else { 0 };
        self.to_files += count(&|order| order.to_file);
        self.charges += report.judgement.charges;
        self.duplicates += report.judgement.duplicates;
        self.lost += report.judgement.lost;
        self.wrongly_free += report.judgement.wrongly_free;
        self.seen += report.judgement.seen;
        self.reported += report.judgement.reported;
        self.gone += report.judgement.gone;
        self.collected += report.collected.len() as u64;
        report.faults.iter().for_each(|(fault, count)| *self.faults.entry(fault).or_default() += count);
        for observed in &report.observed {
            let name = match observed {
                Observed::CallerGone => "caller gone".to_owned(),
                Observed::Outcome(outcome) => match outcome.as_ref() {
                    Ok(_) => "success".to_owned(),
                    Err(error) => format!("{}, {}", error.kind(), in_words(error.charge())),
                },
            };
            *self.outcomes.entry(name).or_default() += 1;
        }
    }

    /// Returns how many calls were successful.
    pub fn successes(&self) -> u64 {
        self.outcomes.get("success").copied().unwrap_or_default()
    }

    /// Returns how many faults occurred.
    pub fn faults_met(&self) -> u64 {
        self.faults.values().sum()
    }
}

fn in_words(charge: Charge) -> &'static str {
    match charge {
        Charge::NotCharged => "not charged",
        Charge::Charged => "charged",
        _ => "unknown",
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, edits, tls, to_files, seen, reported, gone, collected, .. } = self;
        writeln!(
            f,
            "calls made                     {calls:>8}   {edits} edits, {tls} over TLS, {to_files} into files"
        )?;
        writeln!(f, "faults injected                {:>8}", self.faults_met())?;
        let mut faults: Vec<_> = self.faults.iter().collect();
        faults.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        faults.iter().try_for_each(|(fault, count)| writeln!(f, "  {fault:<28} {count:>8}"))?;
        writeln!(f, "outcomes")?;
        self.outcomes.iter().try_for_each(|(outcome, count)| writeln!(f, "  {outcome:<28} {count:>8}"))?;
        writeln!(f, "collected afterwards           {collected:>8}")?;
        writeln!(f, "charges                        {:>8}", self.charges)?;
        writeln!(f, "duplicates                     {:>8}", self.duplicates)?;
        writeln!(f, "paid results lost unreported   {:>8}", self.lost)?;
        writeln!(f, "called not charged, and were   {:>8}", self.wrongly_free)?;
        writeln!(f, "ids seen by the servers        {seen:>8}")?;
        writeln!(
            f,
            "ids reported                   {reported:>8}   and {gone} that cost nothing, of callers that had gone"
        )
    }
}
