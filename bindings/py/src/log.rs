//! Core's events as records of Python's `logging`, logger `gptimage`.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use gptimage_binding::log::{Listener, listen};
use gptimage_core::Pending;
use pyo3::prelude::*;
use tracing::Level;

use crate::notify::{Message, Notifier};

/// The level of Python's `logging` below which nothing is made; `WARNING` unless Python says otherwise.
static LEVEL: AtomicU32 = AtomicU32::new(30);

thread_local! {
    /// Set on our own threads, where everything worth logging happens.
    static NOTIFIER: RefCell<Option<Notifier>> = const { RefCell::new(None) };
}

pub(crate) fn set_level(level: u32) {
    LEVEL.store(level, Ordering::Relaxed);
}

/// Events of this thread go there.
pub(crate) fn send_to(notifier: Notifier) {
    NOTIFIER.with_borrow_mut(|own| *own = Some(notifier));
}

/// Listens from now on.
pub(crate) fn install() {
    listen(ToPython);
}

/// One event.
pub(crate) struct Entry {
    level: u32,
    text: String,
}

impl Entry {
    /// What nobody will collect any more.
    pub(crate) fn lost_at_exit(what: &str, lost: &[Pending]) -> Self {
        let ids = lost.iter().map(|pending| pending.client_request_id.as_deref().unwrap_or("(without an id)"));
        let text = format!("the interpreter ends {what}: {}", ids.collect::<Vec<_>>().join(", "));
        Self { level: 30, text }
    }

    pub(crate) fn hand_over(&self, py: Python<'_>) -> PyResult<()> {
        let logger = py.import("logging")?.call_method1("getLogger", ("gptimage",))?;
        logger.call_method1("log", (self.level, "%s", &self.text))?;
        Ok(())
    }
}

/// `logging`'s number of a level.
fn number(level: Level) -> u32 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

struct ToPython;

impl Listener for ToPython {
    fn wants(&self, level: Level) -> bool {
        number(level) >= LEVEL.load(Ordering::Relaxed)
    }

    fn hear(&self, level: Level, line: String) {
        NOTIFIER.with_borrow(|notifier| {
            if let Some(notifier) = notifier {
                notifier.send(Message::Log(Entry { level: number(level), text: line }));
            }
        });
    }
}
