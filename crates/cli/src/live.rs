//! The live line on a terminal: what a call is doing, and for how long.

use std::time::Duration;

use crate::report;
use gptimage_core::{Phase, Progress};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// A line on stderr that is drawn over again; nothing where stderr is no terminal. It is gone once dropped.
#[derive(Debug, Clone)]
pub(crate) struct Live(ProgressBar);

impl Live {
    pub(crate) fn start() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} · {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message("connecting");
        bar.enable_steady_tick(REDRAW_EVERY);
        Self(bar)
    }

    pub(crate) fn show(&self, progress: &Progress) {
        self.0.set_message(describe(progress));
    }

    /// Says something above the line, or on stderr where there is none.
    pub(crate) fn say(&self, line: &str) {
        self.0.suspend(|| report::note(line));
    }

    /// Wipes the line.
    pub(crate) fn end(&self) {
        self.0.finish_and_clear();
    }
}

fn describe(progress: &Progress) -> String {
    let received = HumanBytes(progress.bytes_received);
    let mut line = match (progress.pause, progress.phase) {
        (Some(pause), _) => format!("not delivered, trying again in {:.1} s", pause.as_secs_f64()),
        (None, Phase::Planned | Phase::Connecting) => "connecting".to_owned(),
        (None, Phase::Sending) => {
            format!("sending {} of {}", HumanBytes(progress.bytes_sent), HumanBytes(progress.bytes_total))
        }
        (None, Phase::Sent) => {
            format!("sent {}, waiting for the picture, which takes a minute or two", HumanBytes(progress.bytes_total))
        }
        (None, Phase::HeadReceived) => format!("receiving, {received}"),
        (None, Phase::BodyComplete) => format!("fetching the picture, {received}"),
        (None, _) => format!("done, {received}"),
    };
    if progress.attempt > 1 {
        line.push_str(&format!(" · attempt {} of {}", progress.attempt, progress.max_attempts));
    }
    line
}
