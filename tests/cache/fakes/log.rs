//! Hears what is logged.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Every event as `field=value` text, whatever its level.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ear(Arc<Mutex<String>>);

impl Ear {
    /// What was logged while `work` was done, and what came of it.
    pub(crate) fn listen<T>(work: impl FnOnce() -> T) -> (T, String) {
        let ear = Self::default();
        let done = tracing::subscriber::with_default(ear.clone(), work);
        let heard = ear.0.lock().unwrap().clone();
        (done, heard)
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Fields(String);
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                write!(self.0, "{}={value:?} ", field.name()).unwrap();
            }
        }
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let mut heard = self.0.lock().unwrap();
        heard.push_str(&fields.0);
        heard.push('\n');
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
