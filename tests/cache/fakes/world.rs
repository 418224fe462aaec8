//! What all fakes share: the clock, the weather, the journal of operations, and the fate of every body.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use http::Method;
use video_resizer::cache::gate::Question;
use video_resizer::cache::ports::Purpose;

use super::weather::{Calm, Mishap, Weather};

/// When every world begins: a moment in 2026, in milliseconds.
pub(crate) const BEGINNING_MS: u64 = 1_780_000_000_000;
/// Milliseconds every operation over the network takes.
pub(crate) const OPERATION_MS: u64 = 10;

/// One thing the platform was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation {
    EdgeFind { url: String, range: Option<String> },
    EdgeKeep { url: String },
    EdgeRemove { url: String },
    KvFind { key: String },
    KvKeep { key: String },
    KvRemove { key: String },
    KvList { prefix: String },
    GateAsk { key: String, question: Question },
    Limit { who: String },
    Fetch { purpose: Purpose, method: Method, url: String },
    Fork,
    DocumentGet { name: String },
    DocumentPut { name: String },
    ObjectAsk { binding: &'static str },
}

impl Operation {
    /// The word in [`super::weather::Script`] and in a story's list of what a request cost.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::EdgeFind { .. } => "edge-find",
            Self::EdgeKeep { .. } => "edge-keep",
            Self::EdgeRemove { .. } => "edge-remove",
            Self::KvFind { .. } => "kv-find",
            Self::KvKeep { .. } => "kv-keep",
            Self::KvRemove { .. } => "kv-remove",
            Self::KvList { .. } => "kv-list",
            Self::GateAsk { question: Question::Enter { .. }, .. } => "gate-enter",
            Self::GateAsk { question: Question::Wait { .. }, .. } => "gate-wait",
            Self::GateAsk { question: Question::Beat { .. }, .. } => "gate-beat",
            Self::GateAsk { question: Question::Publish { .. }, .. } => "gate-publish",
            Self::GateAsk { question: Question::Finish { .. }, .. } => "gate-finish",
            Self::GateAsk { question: Question::Fail { .. }, .. } => "gate-fail",
            Self::GateAsk { question: Question::Forget { .. }, .. } => "gate-forget",
            Self::Limit { .. } => "limit",
            Self::Fetch { purpose: Purpose::Transform, .. } => "transform",
            Self::Fetch { purpose: Purpose::Probe, .. } => "probe",
            Self::Fetch { purpose: Purpose::Original, .. } => "original",
            Self::Fork => "fork",
            Self::DocumentGet { .. } => "document-get",
            Self::DocumentPut { .. } => "document-put",
            Self::ObjectAsk { .. } => "object-ask",
        }
    }
}

/// The fate of all bodies so far.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bodies {
    /// Made by a fake, or branched off another.
    pub(crate) grown: u32,
    /// Branched off another.
    pub(crate) forked: u32,
    /// Read to the end, or to where they break.
    pub(crate) read: u32,
    /// Given back unread.
    pub(crate) discarded: u32,
    /// Neither: a stream left open.
    pub(crate) leaked: u32,
    /// The most bytes that were held to measure one.
    pub(crate) held_max: u64,
    /// The bytes held in pieces now.
    pub(crate) pieces: u64,
    /// The most bytes held in pieces at once.
    pub(crate) pieces_max: u64,
}

impl Bodies {
    /// Streams that are neither read nor given back yet.
    pub(crate) fn open(self) -> u32 {
        self.grown - self.read - self.discarded - self.leaked
    }
}

/// What all fakes share.
#[derive(Debug)]
pub(crate) struct World {
    now_ms: Cell<u64>,
    weather: RefCell<Box<dyn Weather>>,
    journal: RefCell<Vec<Operation>>,
    bodies: Cell<Bodies>,
    ids: Cell<u128>,
    /// Operations until the isolate dies, where it does.
    operations_left: Cell<Option<u32>>,
}

impl World {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            now_ms: Cell::new(BEGINNING_MS),
            weather: RefCell::new(Box::new(Calm)),
            journal: RefCell::default(),
            bodies: Cell::default(),
            ids: Cell::new(0),
            operations_left: Cell::new(None),
        })
    }

    /// The isolate dies after so many operations of a tier or the gate: the next one is never begun.
    pub(crate) fn dies_after(&self, operations: Option<u32>) {
        self.operations_left.set(operations);
    }

    /// Waits for ever in a dead isolate.
    pub(crate) async fn lives(&self) {
        match self.operations_left.get() {
            Some(0) => std::future::pending().await,
            left => self.operations_left.set(left.map(|left| left - 1)),
        }
    }

    /// What a dead isolate left open is nobody's fault.
    pub(crate) fn forgive_leaks(&self) {
        self.count(|bodies| bodies.leaked = 0);
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    pub(crate) fn pass_ms(&self, ms: u64) {
        self.now_ms.set(self.now_ms.get() + ms);
    }

    /// Ids that differ, and are the same in every run.
    pub(crate) fn id(&self) -> u128 {
        self.ids.set(self.ids.get() + 1);
        self.ids.get().wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }

    pub(crate) fn set_weather(&self, weather: impl Weather + 'static) {
        *self.weather.borrow_mut() = Box::new(weather);
    }

    /// Writes an operation down, lets it take its time, and asks what goes wrong with it.
    pub(crate) fn begin(&self, operation: Operation, possible: &[Mishap]) -> Mishap {
        // Branching a stream crosses no network.
        self.pass_ms(if operation == Operation::Fork { 0 } else { OPERATION_MS });
        let mishap = self.weather.borrow().next(&operation, possible);
        self.journal.borrow_mut().push(operation);
        mishap
    }

    /// What was asked so far; the next call begins anew.
    pub(crate) fn take_journal(&self) -> Vec<Operation> {
        self.journal.take()
    }

    /// What somebody else does meanwhile: not in the journal of whoever is observed.
    pub(crate) fn unheard<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.take_journal();
        let done = work();
        self.journal.replace(before);
        done
    }

    pub(crate) fn bodies(&self) -> Bodies {
        self.bodies.get()
    }

    pub(crate) fn hold(&self, bytes: u64) {
        self.count(|bodies| {
            bodies.pieces += bytes;
            bodies.pieces_max = bodies.pieces_max.max(bodies.pieces);
        });
    }

    pub(crate) fn let_go(&self, bytes: u64) {
        self.count(|bodies| bodies.pieces -= bytes);
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Bodies)) {
        let mut bodies = self.bodies.get();
        change(&mut bodies);
        self.bodies.set(bodies);
    }
}
