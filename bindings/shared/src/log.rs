//! Core's `tracing` events as lines for a host's own log.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Whoever hears what the library does.
pub trait Listener: Send + Sync + 'static {
    /// Whether lines of this level are wanted; asked for each.
    fn wants(&self, level: Level) -> bool;

    /// Hears a line. Called on the thread where it happens, which must not be held up.
    fn hear(&self, level: Level, line: String);
}

/// Makes events of this library's copy of `tracing` lines for a listener; a Rust host's own copy is another. Only the first
/// listener of a process counts.
pub fn listen(listener: impl Listener) {
    // Fails if there is a listener already.
    let _ = tracing::subscriber::set_global_default(Lines(listener));
}

struct Lines<L>(L);

impl<L: Listener> Subscriber for Lines<L> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Ours alone: the HTTP library's own events know too much.
        metadata.is_event() && metadata.target().starts_with("gptimage") && self.0.wants(*metadata.level())
    }

    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        // What is wanted changes while we run.
        tracing::subscriber::Interest::sometimes()
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.hear(*event.metadata().level(), line.message + &line.fields);
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
