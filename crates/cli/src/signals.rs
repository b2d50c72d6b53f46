//! Signals that ask for the end: Ctrl-C, SIGTERM and SIGHUP. They are listened for from the start, so that they are heard
//! where nothing hears them by itself: as process 1 of a container, and inside a Python interpreter.

use std::future::poll_fn;
use std::task::Poll;

/// A signal that asks for the end.
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
    /// As people know it.
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

    /// 128 and the signal's number, as shells and containers have it.
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

/// Listens for the signals, from its making on.
#[derive(Debug)]
pub(crate) struct Signals(#[cfg(unix)] Vec<(Signal, tokio::signal::unix::Signal)>);

impl Signals {
    /// Listens, inside a runtime. A signal that this process was started to ignore (as by `nohup`) stays ignored; one that
    /// cannot be listened for ends the process in the system's own way.
    #[cfg(unix)]
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = inherited_ignores();
        let all = [
            (Signal::Interrupt, SignalKind::interrupt()),
            (Signal::Terminate, SignalKind::terminate()),
            (Signal::Hangup, SignalKind::hangup()),
        ];
        let heard = all.into_iter().filter(|(_, kind)| !is_among(ignored, kind.as_raw_value()));
        Self(heard.filter_map(|(name, kind)| Some((name, signal(kind).ok()?))).collect())
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> Self {
        Self()
    }

    /// Hears none, and needs no runtime.
    pub(crate) fn none() -> Self {
        Self(
            #[cfg(unix)]
            Vec::new(),
        )
    }

    /// Waits for the next one. One that comes while nobody waits is told to the next who does; several of a kind are one.
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

    /// Does work that may be dropped at any moment, until it is done or a signal comes.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Signal> {
        tokio::select! {
            done = work => Ok(done),
            signal = self.next() => Err(signal),
        }
    }
}

/// Does work that blocks, on a thread of its own that nobody waits for at the end; here if there is none to be had.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let work = std::sync::Arc::new(std::sync::Mutex::new(Some(work)));
    let take =
        |work: &std::sync::Mutex<Option<_>>| work.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let elsewhere = work.clone();
    let started = std::thread::Builder::new().name("gptimage-aside".to_owned()).spawn(move || {
        if let Some(work) = take(&elsewhere) {
            // Whoever waited may be gone.
            let _ = sender.send(work());
        }
    });
    match started {
        Ok(_) => receiver.await.ok(),
        Err(_) => take(&work).map(|work: _| work()),
    }
}

/// The signals that this process was started to ignore, a bit each; empty where the system does not say.
#[cfg(unix)]
fn inherited_ignores() -> u64 {
    std::fs::read_to_string("/proc/self/status").map_or(0, |status| ignores(&status))
}

/// What a process's status says of ignored signals.
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
        // As under nohup (SIGHUP, 1) in the background of a script (SIGINT, 2, and SIGQUIT, 3).
        let ignored = ignores("Name:\tgptimage\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001007\nSigCgt:\t0\n");
        assert_eq!([1, 2, 3, 15, 13].map(|number| is_among(ignored, number)), [true, true, true, false, true]);
        assert_eq!([ignores(""), ignores("SigIgn:\tnonsense\n")], [0, 0]);
        assert!(!is_among(u64::MAX, 0) && !is_among(u64::MAX, 65) && !is_among(u64::MAX, -1));
    }
}
