//! The log: one JSON object a line, which Workers Logs indexes field by field.

use std::fmt::Debug;
use std::sync::Once;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::platform;
use crate::config::LogLevel;
use crate::json::Writer;

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
        let word = match level {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let mut line = Line(Writer::default());
        line.0.open('{');
        line.0.name("level");
        line.0.text(word);
        event.record(&mut line);
        line.0.close('}');
        let text = line.0.into_text();
        match level {
            Level::ERROR => platform::say_error(&text),
            Level::WARN => platform::say_warning(&text),
            Level::INFO | Level::DEBUG | Level::TRACE => platform::say(&text),
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

/// A line that is being written.
struct Line(Writer);

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.name(field.name());
        self.0.number(value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.name(field.name());
        self.0.word(if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.name(field.name());
        self.0.text(value);
    }

    /// Nothing that is logged is one, and how to spell it would be sixteen kilobytes of the wasm.
    fn record_f64(&mut self, _field: &Field, _value: f64) {}

    fn record_i128(&mut self, _field: &Field, _value: i128) {}

    fn record_u128(&mut self, _field: &Field, _value: u128) {}

    fn record_bytes(&mut self, _field: &Field, _value: &[u8]) {}

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
