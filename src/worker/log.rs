//! The log: one JSON object a line, which Workers Logs indexes field by field.

use std::fmt::{Debug, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::platform;
use crate::config::LogLevel;

static LEVEL: AtomicU8 = AtomicU8::new(INFO);
static INSTALL: Once = Once::new();

const OFF: u8 = 0;
const ERROR: u8 = 1;
const WARN: u8 = 2;
const INFO: u8 = 3;
const DEBUG: u8 = 4;

/// Nothing below `level` is written from now on.
pub(super) fn set_level(level: LogLevel) {
    let level = match level {
        LogLevel::Off => OFF,
        LogLevel::Error => ERROR,
        LogLevel::Warn => WARN,
        LogLevel::Info => INFO,
        LogLevel::Debug => DEBUG,
    };
    LEVEL.store(level, Ordering::Relaxed);
}

/// Sends every event of this isolate to the console.
pub(super) fn install() {
    // Nobody else installs one; if somebody did, theirs is as good.
    INSTALL.call_once(|| drop(tracing::subscriber::set_global_default(Console)));
}

struct Console;

impl Subscriber for Console {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let level = match *metadata.level() {
            Level::ERROR => ERROR,
            Level::WARN => WARN,
            Level::INFO => INFO,
            Level::DEBUG | Level::TRACE => DEBUG,
        };
        level <= LEVEL.load(Ordering::Relaxed)
    }

    fn register_callsite(
        &self,
        _metadata: &'static Metadata<'static>,
    ) -> tracing::subscriber::Interest {
        // The level changes with the configuration, so the answer may not be remembered.
        tracing::subscriber::Interest::sometimes()
    }

    fn event(&self, event: &Event<'_>) {
        let level = *event.metadata().level();
        let mut line = Line(String::with_capacity(LINE_BYTES));
        let word = match level {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        line.0.push_str("{\"level\":");
        line.text(word);
        event.record(&mut line);
        line.0.push('}');
        match level {
            Level::ERROR => platform::say_error(&line.0),
            Level::WARN => platform::say_warning(&line.0),
            Level::INFO | Level::DEBUG | Level::TRACE => platform::say(&line.0),
        }
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

/// A line so far, without its last brace.
struct Line(String);

/// What the line of a hit takes.
const LINE_BYTES: usize = 768;

impl Line {
    fn name(&mut self, field: &Field) {
        self.0.push(',');
        self.text(field.name());
        self.0.push(':');
    }

    /// A string of JSON (RFC 8259, 7).
    fn text(&mut self, text: &str) {
        self.0.push('"');
        self.escaped(text);
        self.0.push('"');
    }

    fn escaped(&mut self, text: &str) {
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= b' ' && byte != b'"' && byte != b'\\' {
                continue;
            }
            // Before and after an ASCII character is always a boundary.
            self.0.push_str(text.get(from..at).unwrap_or_default());
            // Writing to a String cannot fail.
            let _ = write!(self.0, "\\u{byte:04x}");
            from = at + 1;
        }
        self.0.push_str(text.get(from..).unwrap_or_default());
    }
}

/// What is written is the inside of a string.
struct Inside<'a>(&'a mut Line);

impl Write for Inside<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.escaped(text);
        Ok(())
    }
}

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field);
        // Writing to a String cannot fail.
        let _ = write!(self.0, "{value}");
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.name(field);
        let _ = write!(self.0, "{value}");
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field);
        self.0.push_str(if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        self.text(value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.name(field);
        self.0.push('"');
        let _ = write!(Inside(self), "{value:?}");
        self.0.push('"');
    }
}
