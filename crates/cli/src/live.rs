//! What a call is doing: its ids as they come, and on a terminal a live line.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::report;
use gptimage_core::{Phase, Progress};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// A line on stderr that is drawn over again; nothing where stderr is no terminal. It is gone once dropped.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    bar: ProgressBar,
    /// The id that was said last.
    said: Arc<Mutex<String>>,
}

impl Live {
    pub(crate) fn start() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} · {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message("connecting");
        Self { bar, said: Arc::default() }
    }

    /// Redraws for as long as it is polled. A thread of the library's would do it too, and panics where none can be had.
    pub(crate) async fn redraw(&self) -> Infallible {
        loop {
            self.bar.tick();
            tokio::time::sleep(REDRAW_EVERY).await;
        }
    }

    /// Shows how far the call is. Each attempt's id stays on the screen or in the file: core tells of it before its first
    /// byte leaves, and it is what remains if this process is killed.
    pub(crate) fn show(&self, progress: &Progress) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != progress.client_request_id {
            said.clone_from(&progress.client_request_id);
            let again = if progress.attempt > 1 { format!(", attempt {}", progress.attempt) } else { String::new() };
            self.say(&format!("gptimage: sending as {said}{again}"));
        }
        self.bar.set_message(describe(progress));
    }

    /// Says something above the line, or on stderr where there is none. Gives whether anybody can have read it.
    pub(crate) fn say(&self, line: &str) -> bool {
        self.bar.suspend(|| report::note(line))
    }

    /// Wipes the line.
    pub(crate) fn end(&self) {
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
