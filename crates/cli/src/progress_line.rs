//! Progress of a call: the request ids as they are known, and a live line on a terminal.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gptimage_core::{Phase, Progress};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::print;

const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// A line on stderr that is redrawn in place; nothing if stderr is not a terminal. Cleared when dropped.
#[derive(Debug, Clone)]
pub(crate) struct ProgressLine {
    bar: ProgressBar,
    /// The last request id that was printed.
    printed_id: Arc<Mutex<String>>,
}

impl ProgressLine {
    pub(crate) fn start() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} · {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message("connecting");
        Self { bar, printed_id: Arc::default() }
    }

    /// Redraws for as long as it is polled. indicatif's own ticker thread would panic where no thread can be started.
    pub(crate) async fn redraw(&self) -> Infallible {
        loop {
            self.bar.tick();
            tokio::time::sleep(REDRAW_EVERY).await;
        }
    }

    /// Shows how far the call is. Each attempt's id is printed on a line of its own, before the attempt's first byte is sent: it
    /// is all that remains if this process is killed.
    pub(crate) fn update(&self, progress: &Progress) {
        let mut printed_id = self.printed_id.lock().unwrap_or_else(PoisonError::into_inner);
        if *printed_id != progress.client_request_id {
            printed_id.clone_from(&progress.client_request_id);
            let again = if progress.attempt > 1 { format!(", attempt {}", progress.attempt) } else { String::new() };
            self.print(&format!("gptimage: sending as {printed_id}{again}"));
        }
        self.bar.set_message(describe(progress));
    }

    /// Prints a line above the live line. Returns whether it was written.
    pub(crate) fn print(&self, line: &str) -> bool {
        self.bar.suspend(|| print::to_stderr(line))
    }

    /// Clears the line.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
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
