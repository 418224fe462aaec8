//! The gates of all variants: the real state machine, on virtual time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use video_resizer::cache::gate::state::GateState;
use video_resizer::cache::gate::{Question, Verdict};
use video_resizer::cache::ports::{Fault, Gate};

use super::surprise::Surprise;
use super::weather::Mishap;
use super::world::{Operation, World};

/// Milliseconds between two looks of somebody who waits.
const LOOK_MS: u64 = 100;

/// One gate a key.
#[derive(Debug)]
pub(crate) struct FakeGate {
    world: Rc<World>,
    pub(crate) states: RefCell<BTreeMap<String, GateState>>,
    /// What has happened at the gates before the first question that arrives.
    pub(crate) surprise: Surprise<Self>,
    /// What happens at the gates while somebody waits for the first time.
    pub(crate) meanwhile: Surprise<Self>,
}

impl FakeGate {
    pub(crate) fn new(world: &Rc<World>) -> Self {
        let world = Rc::clone(world);
        let (surprise, meanwhile) = (Surprise::default(), Surprise::default());
        Self { world, states: RefCell::default(), surprise, meanwhile }
    }

    /// As somebody else would ask: not in the journal, not in the weather, and not waiting.
    pub(crate) fn answer(&self, key: &str, question: &Question) -> Option<Verdict> {
        self.look(key, question, self.world.now_ms())
    }

    /// As if the platform had put every object away.
    pub(crate) fn evict(&self) {
        self.states.borrow_mut().clear();
    }

    fn look(&self, key: &str, question: &Question, asked_ms: u64) -> Option<Verdict> {
        let mut states = self.states.borrow_mut();
        let state = states.entry(key.to_owned()).or_default();
        state.answer(question, asked_ms, self.world.now_ms())
    }
}

impl Gate for FakeGate {
    /// An answer that comes too late was given all the same: the gate has done what it was asked.
    async fn ask(&self, key: &str, question: &Question, budget_ms: u32) -> Result<Verdict, Fault> {
        assert!(budget_ms > 0, "every question has a budget");
        if let Question::Wait { wait_ms, .. } = question {
            assert!(budget_ms > *wait_ms, "a wait of {wait_ms} ms never ends in {budget_ms} ms");
        }
        self.world.lives().await;
        let operation = Operation::GateAsk { key: key.to_owned(), question: question.clone() };
        let possible = [Mishap::None, Mishap::Refused, Mishap::TimedOut];
        let mishap = self.world.begin(operation, &possible);
        if mishap == Mishap::Refused {
            return Err(mishap.fault().unwrap());
        }
        self.surprise.spring(self);
        let asked_ms = self.world.now_ms();
        let verdict = loop {
            if let Some(verdict) = self.look(key, question, asked_ms) {
                break verdict;
            }
            self.meanwhile.spring(self);
            self.world.pass_ms(LOOK_MS);
        };
        mishap.fault().map_or(Ok(verdict), Err)
    }
}
