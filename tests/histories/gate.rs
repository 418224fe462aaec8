//! The gates: the real state machine, far away, with a memory that may be lost.

use std::rc::Rc;

use video_resizer::cache::gate::{Question, Verdict};
use video_resizer::cache::ports::{Fault, Gate};

use super::saboteur;
use super::weather::Trip;
use super::world::World;

/// Milliseconds between two looks of somebody who waits.
const LOOK_MS: u64 = 50;

/// The gates, asked from somewhere.
#[derive(Debug)]
pub(crate) struct SimGate {
    pub(crate) world: Rc<World>,
}

impl SimGate {
    fn look(&self, key: &str, question: &Question, asked_ms: u64) -> Option<Verdict> {
        let mut gates = self.world.gates.borrow_mut();
        let gate = gates.entry(key.to_owned()).or_default();
        gate.answer(question, asked_ms, self.world.now_ms())
    }
}

impl Gate for SimGate {
    /// An answer that comes too late was given all the same.
    async fn ask(&self, key: &str, question: &Question, budget_ms: u32) -> Result<Verdict, Fault> {
        let world = &self.world;
        let visit = world.clock.current().visit;
        world.judge.asks(visit, key, question);
        let trip = Trip::draw(world, world.climate().gate);
        let verdict = if let Question::Wait { wait_ms, .. } = question {
            assert!(budget_ms > *wait_ms, "a wait of {wait_ms} ms never ends in {budget_ms} ms");
            let began_ms = world.now_ms();
            let arrived = trip.read(world, budget_ms, || world.now_ms()).await;
            match arrived {
                Err(fault) => Err(fault),
                Ok(asked_ms) => loop {
                    if let Some(verdict) = self.look(key, question, asked_ms) {
                        break Ok(verdict);
                    }
                    if world.now_ms() >= began_ms + u64::from(budget_ms) {
                        break Err(Fault::TimedOut { budget_ms });
                    }
                    world.clock.sleep(LOOK_MS).await;
                },
            }
        } else {
            let answer = trip.read(world, budget_ms, || self.look(key, question, world.now_ms()));
            answer.await.map(|verdict| verdict.expect("answered at once"))
        };
        world.tell(|| format!("gate: {key} {question:?}: {verdict:?}"));
        world.judge.told(visit, key, question, &verdict);
        verdict.map(|verdict| saboteur::told(world, verdict))
    }
}
