//! Core's `tracing` events as lines for a host's own log.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A host's log.
pub trait LogSink: Send + Sync + 'static {
    /// Returns whether lines of this level are wanted. Called for each line.
    fn enabled(&self, level: Level) -> bool;

    /// Writes a line. Called on the thread that logs; must not block.
    fn write(&self, level: Level, line: String);
}

/// Installs a sink for events of this library's copy of `tracing`; a Rust host has another copy. Only the first sink of a
/// process is used.
pub fn install(sink: impl LogSink) {
    // Fails if a sink is installed already.
    let _ = tracing::subscriber::set_global_default(LineSubscriber(sink));
}

struct LineSubscriber<L>(L);

impl<L: LogSink> Subscriber for LineSubscriber<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The HTTP library's own events may contain secrets.
        metadata.is_event() && metadata.target().starts_with("gptimage") && self.0.enabled(*metadata.level())
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        // The wanted level changes at run time.
        tracing::subscriber::Interest::sometimes()
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.write(*event.metadata().level(), line.message + &line.fields);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The parts of a line: the message, then the fields.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn put(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
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
