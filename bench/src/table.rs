//! The figures for people.

use std::time::Duration;

use crate::contestant::Cost;
use crate::race::{Figures, Runs};

/// Prints every figure with its goal and what it was made of.
pub(crate) fn print(figures: &Figures) {
    let place = if figures.in_memory { "in memory" } else { "on a disk: no room in memory, so figures may vary" };
    println!("gptimage against the floor, the plain way and curl; medians of runs in turn; files {place}\n");
    println!("{:58} {:>8} {:>10}   raw", "figure", "measured", "goal");
    if let [floor, ours, kept] = figures.in_turn.as_slice() {
        let what = "50 × 4 MB answers in turn into files: CPU ÷ floor";
        ratio(what, cpu(ours), cpu(floor), Some("≤ 1.30"), milliseconds);
        ratio("  the floor on one kept connection ÷ floor", cpu(kept), cpu(floor), None, milliseconds);
    }
    if let [plain, ours] = figures.at_once.as_slice() {
        let what = "128 × 4 MB answers at once into files: memory ÷ plain";
        ratio(what, memory(ours), memory(plain), Some("≤ 0.20"), mebibytes);
        ratio("  CPU ÷ plain", cpu(ours), cpu(plain), None, milliseconds);
    }
    if let [ours, others @ ..] = figures.edit.as_slice() {
        let peak = format!("{:.1} MiB", memory(ours) / 1024.0);
        let idle = mebibytes(median(ours, |cost| cost.idle_kib as f64));
        row("edit with 16 × 50 MB files: memory above idle", &peak, Some("≤ 24 MiB"), &format!("idle {idle}"));
        match others {
            [curl, ..] => ratio("  CPU ÷ curl -F", cpu(ours), cpu(curl), Some("≤ 1.20"), milliseconds),
            [] => row("  CPU ÷ curl -F", "–", Some("≤ 1.20"), "there is no curl here"),
        }
    }
    if let Some(ours) = figures.in_turn.get(1) {
        let set_up = milliseconds(median(ours, |cost| millis(cost.set_up)));
        println!("\nCPU: user and system of the whole process, of which ours needs {set_up} before its first call.");
    }
    println!("Memory: the peak above what the process has before its first call.");
}

fn ratio(what: &str, ours: f64, theirs: f64, goal: Option<&str>, show: impl Fn(f64) -> String) {
    row(what, &format!("{:.2}", ours / theirs), goal, &format!("{} ÷ {}", show(ours), show(theirs)));
}

fn row(what: &str, measured: &str, goal: Option<&str>, raw: &str) {
    println!("{what:58} {measured:>8} {:>10}   {raw}", goal.unwrap_or_default());
}

fn cpu(runs: &Runs) -> f64 {
    median(runs, |cost| millis(cost.cpu))
}

fn memory(runs: &Runs) -> f64 {
    median(runs, |cost| cost.above_idle_kib as f64)
}

fn median(runs: &Runs, figure: impl Fn(&Cost) -> f64) -> f64 {
    let mut figures: Vec<f64> = runs.costs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn milliseconds(figure: f64) -> String {
    format!("{figure:.0} ms")
}

fn mebibytes(kib: f64) -> String {
    format!("{:.0} MiB", kib / 1024.0)
}
