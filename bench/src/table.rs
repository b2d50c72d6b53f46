//! Prints the figures as a table.

use std::time::Duration;

use crate::job::Cost;
use crate::python::{CALLS_BEFORE, Imports};
use crate::suite::{Figures, InPython, Runs};

/// Prints every figure with its goal and the values it was computed from.
pub(crate) fn print(figures: &Figures) {
    let place = if figures.in_memory { "in memory" } else { "on a disk: no room in memory, so figures may vary" };
    println!(
        "gptimage against the baseline, the plain way, curl and openai-python; medians of runs in turn; files {place}\n"
    );
    println!("{:58} {:>8} {:>10}   raw", "figure", "measured", "goal");
    if let [baseline, gptimage, kept, ..] = figures.in_turn.as_slice() {
        let what = "50 × 4 MB answers in turn into files: CPU ÷ baseline";
        ratio(what, cpu(gptimage), cpu(baseline), Some("≤ 1.30"), milliseconds);
        ratio("  the baseline on one kept connection ÷ baseline", cpu(kept), cpu(baseline), None, milliseconds);
    }
    if let [plain, gptimage, ..] = figures.at_once.as_slice() {
        let what = "128 × 4 MB answers at once into files: memory ÷ plain";
        ratio(what, memory(gptimage), memory(plain), Some("≤ 0.20"), mebibytes);
        ratio("  CPU ÷ plain", cpu(gptimage), cpu(plain), None, milliseconds);
    }
    if let [gptimage, others @ ..] = figures.edit.as_slice() {
        let peak = format!("{:.1} MiB", memory(gptimage) / 1024.0);
        let idle = mebibytes(median(gptimage, |cost| cost.idle_kib as f64));
        row("edit with 16 × 50 MB files: memory above idle", &peak, Some("≤ 24 MiB"), &format!("idle {idle}"));
        match others {
            [curl, ..] => ratio("  CPU ÷ curl -F", cpu(gptimage), cpu(curl), Some("≤ 1.20"), milliseconds),
            [] => row("  CPU ÷ curl -F", "–", Some("≤ 1.20"), "there is no curl here"),
        }
    }
    match &figures.python {
        Some(python) => in_python(figures, python),
        None => println!("\nPython was left out: there is no interpreter; `make bench` prepares one"),
    }
    if let Some(gptimage) = figures.in_turn.get(1) {
        let set_up = milliseconds(median(gptimage, |cost| millis(cost.set_up)));
        println!(
            "\nCPU: user and system of the whole process, of which gptimage needs {set_up} before its first call."
        );
    }
    println!("Memory: the peak above what the process has before its first call.");
}

/// Prints gptimage in Python, interpreter included, beside openai-python.
fn in_python(figures: &Figures, python: &InPython) {
    println!();
    if let [baseline, _, _, gptimage, openai] = figures.in_turn.as_slice() {
        let what = "Python, 50 × 4 MB answers in turn: CPU ÷ baseline";
        ratio(what, cpu(gptimage), cpu(baseline), Some("≤ 1.50"), milliseconds);
        ratio("  openai-python's ÷ baseline", cpu(openai), cpu(baseline), None, milliseconds);
        let set_up = milliseconds(median(gptimage, |cost| millis(cost.set_up)));
        row("  before gptimage's first call", &set_up, None, "");
    }
    if let [plain, _, gptimage, openai] = figures.at_once.as_slice() {
        let what = "Python, 128 × 4 MB answers at once: memory ÷ plain";
        ratio(what, memory(gptimage), memory(plain), Some("≤ 0.20"), mebibytes);
        ratio("  openai-python's ÷ plain", memory(openai), memory(plain), None, mebibytes);
        ratio("  CPU ÷ plain", cpu(gptimage), cpu(plain), None, milliseconds);
        ratio("  openai-python's ÷ plain", cpu(openai), cpu(plain), None, milliseconds);
    }
    if let [gptimage, openai] = python.small.as_slice() {
        let one = |runs| median(runs, |cost| millis(cost.cpu.saturating_sub(cost.set_up)) / python.small_calls as f64);
        let (gptimage, openai) = (one(gptimage), one(openai));
        let slope = format!("slope from call {CALLS_BEFORE} to {}", CALLS_BEFORE + python.small_calls);
        row("Python, small calls, 64 at once: CPU of one", &hundredths(gptimage), Some("≤ 0.30 ms"), &slope);
        ratio("  ÷ openai-python's", gptimage, openai, None, hundredths);
    }
    let imports = python.imports.as_slice();
    let above_bare =
        |which: fn(&Imports) -> Duration| tenths(median_of(imports, |took| millis(which(took)) - millis(took.bare)));
    let bare = format!("bare {}", tenths(median_of(imports, |took| millis(took.bare))));
    row("Python, import: above a bare interpreter", &above_bare(|took| took.gptimage), Some("≤ 15 ms"), &bare);
    row("  openai-python's", &above_bare(|took| took.openai), None, "");
    let wheel = format!("{:.1} MB", python.wheel_len as f64 / 1e6);
    row("Python, the wheel", &wheel, Some("≤ 10 MB"), "");
}

fn ratio(what: &str, measured: f64, reference: f64, goal: Option<&str>, show: impl Fn(f64) -> String) {
    row(what, &format!("{:.2}", measured / reference), goal, &format!("{} ÷ {}", show(measured), show(reference)));
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
    median_of(&runs.costs, figure)
}

fn median_of<T>(measured: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut figures: Vec<f64> = measured.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn milliseconds(figure: f64) -> String {
    format!("{figure:.0} ms")
}

fn tenths(figure: f64) -> String {
    format!("{figure:.1} ms")
}

fn hundredths(figure: f64) -> String {
    format!("{figure:.2} ms")
}

fn mebibytes(kib: f64) -> String {
    format!("{:.0} MiB", kib / 1024.0)
}
