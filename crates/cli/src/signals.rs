//! Signals that end the command: Ctrl-C, SIGTERM and SIGHUP. The handlers are installed at the start, because the default
//! actions do not apply to process 1 of a container or inside a Python interpreter.

use std::future::poll_fn;
use std::task::Poll;

/// A signal that ends the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Interrupt,
    #[cfg(unix)]
    Terminate,
    /// The terminal was closed.
    #[cfg(unix)]
    Hangup,
}

impl Signal {
    /// The name used in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "Ctrl-C",
            #[cfg(unix)]
            Self::Terminate => "SIGTERM",
            #[cfg(unix)]
            Self::Hangup => "SIGHUP",
        }
    }

    pub(crate) fn is_hangup(self) -> bool {
        self.exit_code() == 129
    }

    /// 128 plus the signal's number, the convention of shells and containers.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            #[cfg(unix)]
            Self::Terminate => 143,
            #[cfg(unix)]
            Self::Hangup => 129,
        }
    }
}

/// A listener for the signals.
#[derive(Debug)]
pub(crate) struct Signals(#[cfg(unix)] Vec<(Signal, tokio::signal::unix::Signal)>);

impl Signals {
    /// Installs the handlers. Needs a tokio runtime. A signal that this process inherited as ignored (`nohup`) stays ignored; one
    /// whose handler cannot be installed keeps its default action.
    #[cfg(unix)]
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = inherited_ignores();
        let all = [
            (Signal::Interrupt, SignalKind::interrupt()),
            (Signal::Terminate, SignalKind::terminate()),
            (Signal::Hangup, SignalKind::hangup()),
        ];
        let listened = all.into_iter().filter(|(_, kind)| !is_among(ignored, kind.as_raw_value()));
        Self(listened.filter_map(|(name, kind)| Some((name, signal(kind).ok()?))).collect())
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> Self {
        Self()
    }

    /// A listener that never reports a signal. Needs no runtime.
    pub(crate) fn none() -> Self {
        Self(
            #[cfg(unix)]
            Vec::new(),
        )
    }

    /// Waits for the next signal. A signal that arrives between two waits is reported by the next one; equal signals are merged.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> Signal {
        poll_fn(|context| {
            for (name, signal) in &mut self.0 {
                if let Poll::Ready(Some(())) = signal.poll_recv(context) {
                    return Poll::Ready(*name);
                }
            }
            Poll::Pending
        })
        .await
    }

    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }

    /// Runs cancel-safe work until it is done or a signal comes.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Signal> {
        tokio::select! {
            done = work => Ok(done),
            signal = self.next() => Err(signal),
        }
    }
}

/// Runs blocking work on a thread of its own, which exit does not wait for; on this thread if none can be started.
pub(crate) async fn run_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let work = std::sync::Arc::new(std::sync::Mutex::new(Some(work)));
    let take =
        |work: &std::sync::Mutex<Option<_>>| work.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let elsewhere = work.clone();
    let started = std::thread::Builder::new().name("gptimage-run_blocking".to_owned()).spawn(move || {
        if let Some(work) = take(&elsewhere) {
            // The receiver may have been dropped.
            let _ = sender.send(work());
        }
    });
    match started {
        Ok(_) => receiver.await.ok(),
        Err(_) => take(&work).map(|work: _| work()),
    }
}

/// The signals that this process inherited as ignored, as a bit mask; 0 if the system does not tell.
#[cfg(unix)]
fn inherited_ignores() -> u64 {
    std::fs::read_to_string("/proc/self/status").map_or(0, |status| ignores(&status))
}

/// The mask of ignored signals in a `/proc/*/status`.
#[cfg(unix)]
fn ignores(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(unix)]
fn is_among(mask: u64, number: i32) -> bool {
    let bit = u32::try_from(number).ok().and_then(|number| number.checked_sub(1));
    bit.and_then(|bit| 1u64.checked_shl(bit)).is_some_and(|bit| mask & bit != 0)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_a_status() {
        // Like nohup (SIGHUP, 1) in the background of a script (SIGINT, 2, and SIGQUIT, 3).
        let ignored = ignores("Name:\tgptimage\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001007\nSigCgt:\t0\n");
        assert_eq!([1, 2, 3, 15, 13].map(|number| is_among(ignored, number)), [true, true, true, false, true]);
        assert_eq!([ignores(""), ignores("SigIgn:\tnonsense\n")], [0, 0]);
        assert!(!is_among(u64::MAX, 0) && !is_among(u64::MAX, 65) && !is_among(u64::MAX, -1));
    }
}
