//! How long an operation takes on its way there and back, and what becomes of it.

use std::cell::RefCell;
use std::rc::Rc;

use video_resizer::cache::ports::Fault;

use super::clockwork::PLATFORM;
use super::world::World;

/// How bad a world is; everything that goes wrong does so in so many of a hundred operations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Climate {
    /// Milliseconds of one way over the network, at the most.
    pub(crate) way_ms: u64,
    pub(crate) kv: u64,
    pub(crate) edge: u64,
    pub(crate) gate: u64,
    /// Orders, probes and originals that fail.
    pub(crate) upstream: u64,
    /// Bodies of orders that break off, end early or stall.
    pub(crate) bodies: u64,
    /// Chunks that KV mistakes for another, and bodies from KV that stall.
    pub(crate) misfiled: u64,
    /// Whether a name nobody has asked for may be late elsewhere as well, and at home.
    pub(crate) is_late_everywhere: bool,
    /// Whether an aborted write is committed as far as it came.
    pub(crate) commits_aborted: bool,
    /// Milliseconds an order takes, at the most.
    pub(crate) order_ms: u64,
    /// Whether what goes wrong is never answered.
    pub(crate) hangs: bool,
}

impl Climate {
    pub(crate) const CALM: Self = Self {
        way_ms: 60,
        kv: 0,
        edge: 0,
        gate: 0,
        upstream: 0,
        bodies: 0,
        misfiled: 0,
        is_late_everywhere: false,
        commits_aborted: false,
        order_ms: 2_000,
        hangs: false,
    };

    /// Whether no viewer has a reason to see a body break off.
    pub(crate) fn spares_bodies(&self) -> bool {
        self.kv + self.bodies + self.misfiled == 0 && !self.is_late_everywhere
    }
}

/// What becomes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Refused,
    AckLost,
    Hangs,
}

/// One operation's way there and back.
#[derive(Debug)]
pub(crate) struct Trip {
    fate: Fate,
    there_ms: u64,
    back_ms: u64,
}

impl Trip {
    /// Draws one where so many of a hundred go wrong.
    pub(crate) fn draw(world: &World, trouble: u64) -> Self {
        let way_ms = world.climate().way_ms;
        let dice = &world.dice;
        let (mut there_ms, back_ms) = (dice.between(1, way_ms), dice.between(1, way_ms));
        let mut fate = Fate::Arrives;
        if dice.chance(trouble) {
            match dice.below(4) {
                _ if world.climate().hangs => fate = Fate::Hangs,
                0 => fate = Fate::Refused,
                1 => fate = Fate::AckLost,
                2 => fate = Fate::Hangs,
                // It comes late, and may come when nobody waits any more.
                _ => there_ms = dice.between(200, 20_000),
            }
        }
        Self { fate, there_ms, back_ms }
    }

    /// The same with so much work at the other end.
    pub(crate) fn working(mut self, ms: u64) -> Self {
        self.there_ms += ms;
        self
    }

    /// Something that only this asker notices.
    pub(crate) async fn read<T>(
        self,
        world: &World,
        budget_ms: u32,
        effect: impl FnOnce() -> T,
    ) -> Result<T, Fault> {
        assert!(budget_ms > 0, "every operation has a budget");
        let budget = u64::from(budget_ms);
        match self.fate {
            Fate::Refused => {
                world.clock.sleep(self.there_ms.min(budget)).await;
                return Err(refused());
            }
            Fate::Hangs => {
                world.clock.sleep(budget).await;
                return Err(Fault::TimedOut { budget_ms });
            }
            Fate::Arrives | Fate::AckLost => {}
        }
        if self.there_ms > budget {
            world.clock.sleep(budget).await;
            return Err(Fault::TimedOut { budget_ms });
        }
        world.clock.sleep(self.there_ms).await;
        let done = effect();
        world.clock.sleep(self.back_ms.min(budget - self.there_ms)).await;
        if self.there_ms + self.back_ms > budget {
            return Err(Fault::TimedOut { budget_ms });
        }
        if self.fate == Fate::AckLost { Err(refused()) } else { Ok(done) }
    }

    /// Something that happens when it arrives, whether or not its asker lives to hear of it.
    pub(crate) async fn write(
        self,
        world: &Rc<World>,
        budget_ms: u32,
        effect: impl FnOnce() -> Result<(), Fault> + 'static,
    ) -> Result<(), Fault> {
        assert!(budget_ms > 0, "every operation has a budget");
        if matches!(self.fate, Fate::Refused | Fate::Hangs) {
            return self.read(world, budget_ms, || ()).await;
        }
        let outcome = Rc::new(RefCell::new(Ok(())));
        let (told, arrival) = (Rc::clone(&outcome), world.clock.sleep(self.there_ms));
        world.clock.spawn(PLATFORM, async move {
            arrival.await;
            *told.borrow_mut() = effect();
        });
        let (total, budget) = (self.there_ms + self.back_ms, u64::from(budget_ms));
        world.clock.sleep(total.min(budget)).await;
        if total > budget {
            return Err(Fault::TimedOut { budget_ms });
        }
        if self.fate == Fate::AckLost { Err(refused()) } else { outcome.replace(Ok(())) }
    }
}

fn refused() -> Fault {
    Fault::Unavailable("refused by the weather".to_owned())
}
