//! A limiter that counts, and never forgets.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use video_resizer::cache::ports::{Fault, Limiter};

use super::weather::Mishap;
use super::world::{Operation, World};

/// One binding.
#[derive(Debug)]
pub(crate) struct FakeLimiter {
    world: Rc<World>,
    limit: u32,
    pub(crate) counts: RefCell<BTreeMap<String, u32>>,
}

impl FakeLimiter {
    /// One that admits everybody so often.
    pub(crate) fn new(world: &Rc<World>, limit: u32) -> Self {
        Self { world: Rc::clone(world), limit, counts: RefCell::default() }
    }
}

impl Limiter for FakeLimiter {
    async fn admits(&self, who: &str, budget_ms: u32) -> Result<bool, Fault> {
        assert!(budget_ms > 0, "every question has a budget");
        let operation = Operation::Limit { who: who.to_owned() };
        let possible = [Mishap::None, Mishap::Refused, Mishap::TimedOut];
        if let Some(fault) = self.world.begin(operation, &possible).fault() {
            return Err(fault);
        }
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(who.to_owned()).or_default();
        *count += 1;
        Ok(*count <= self.limit)
    }
}
