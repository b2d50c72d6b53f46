//! Core's `tracing` events as records of Python's `logging`, logger `gptimage`.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

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

/// Makes events of this library's copy of `tracing` log records. A host's own is another copy.
pub(crate) fn install() {
    // Fails if the module is loaded twice, which changes nothing.
    let _ = tracing::subscriber::set_global_default(ToPython);
}

/// One event.
pub(crate) struct Entry {
    level: u32,
    text: String,
}

impl Entry {
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

impl Subscriber for ToPython {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Ours alone: the HTTP library's own events know too much.
        metadata.is_event()
            && metadata.target().starts_with("gptimage")
            && number(*metadata.level()) >= LEVEL.load(Ordering::Relaxed)
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        // The level changes while we run.
        tracing::subscriber::Interest::sometimes()
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let entry = Entry { level: number(*event.metadata().level()), text: line.message + &line.fields };
        NOTIFIER.with_borrow(|notifier| {
            if let Some(notifier) = notifier {
                notifier.send(Message::Log(entry));
            }
        });
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The message, then its fields.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn put(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            name => write!(self.fields, " {name}={value}"),
        };
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, format_args!("{value}"));
    }
}
