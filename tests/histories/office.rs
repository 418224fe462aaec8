//! The office: it numbers purges, mirrors its ledger to KV, and empties the zone's caches where that works.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::OnceLock;

use video_resizer::limits::LEDGER_TARGETS_MAX;
use video_resizer::purge::MIRROR_KEY;
use video_resizer::purge::ledger::{Ledger, Mode};
use video_resizer::purge::target::Target;

use super::clockwork::PLATFORM;
use super::kv::Value;
use super::saboteur::{self, Sabotage};
use super::upstream::{HOST, bears};
use super::weather::Trip;
use super::world::World;

/// Milliseconds a write of the mirror is waited for.
const WRITE_TIMEOUT_MS: u32 = 5_000;
/// Milliseconds after which a write that nobody acknowledged has arrived, or never will.
const LANDED_MS: u64 = 30_000;

/// A purge, and what the office has told of it.
#[derive(Debug)]
pub(crate) struct Purge {
    pub(crate) number: u64,
    pub(crate) mode: Mode,
    pub(crate) targets: Vec<Target>,
    pub(crate) recorded_ms: u64,
    /// Since when the mirror is known to hold it.
    pub(crate) mirrored_ms: Option<u64>,
}

impl Purge {
    /// Whether it bears on a variant as it is asked on a host, said plainly.
    pub(crate) fn bears(&self, variant: usize, host: &str) -> bool {
        self.targets.iter().any(|target| bears(target, variant, host))
    }
}

/// The one place in the world where purges are numbered.
#[derive(Debug, Default)]
pub(crate) struct Office {
    ledger: RefCell<Ledger>,
    pub(crate) purges: RefCell<Vec<Purge>>,
    /// Whether isolates have anything to look at; in other worlds nobody ever purges.
    pub(crate) is_open: Cell<bool>,
    /// Of a hundred data centres how many are emptied by a purge of the zone.
    pub(crate) zone: Cell<u64>,
    pub(crate) sabotage: Cell<Option<Sabotage>>,
    /// The number that the mirror is known to hold.
    mirrored: Cell<u64>,
    is_mirroring: Cell<bool>,
    /// How often it was started.
    life: Cell<u32>,
}

impl Office {
    /// Opens it, with a history of its own where so much was purged before that the next purges are folded.
    pub(crate) fn open(&self, is_full: bool) {
        self.is_open.set(true);
        if is_full {
            *self.ledger.borrow_mut() = full().clone();
            self.mirrored.set(self.number());
        }
    }

    /// The number of the last purge.
    pub(crate) fn number(&self) -> u64 {
        self.ledger.borrow().number()
    }

    /// Whether the mirror is known to hold everything.
    pub(crate) fn is_mirrored(&self) -> bool {
        self.mirrored.get() == self.number()
    }

    /// Records a purge, as its caller is told at once, and sees to the rest.
    pub(crate) fn record(&self, world: &Rc<World>, mode: Mode, targets: Vec<Target>) -> u64 {
        let number = self.ledger.borrow_mut().record(mode, &targets);
        world.tell(|| format!("purge {number}: {mode:?} {:?}", &targets[..targets.len().min(4)]));
        if world.dice.chance(70) {
            empty_zone(world, targets.clone());
        }
        let recorded_ms = world.now_ms();
        let purge = Purge { number, mode, targets, recorded_ms, mirrored_ms: None };
        self.purges.borrow_mut().push(purge);
        self.mirror(world, 0);
        number
    }

    /// The platform puts it away and starts it again: what was recorded stays, what was under way is not known.
    pub(crate) fn restart(&self, world: &Rc<World>) {
        self.life.set(self.life.get() + 1);
        if self.is_mirroring.replace(false) {
            self.mirror(world, LANDED_MS);
        }
    }

    /// Sees to it that the mirror will hold everything, one write at a time.
    fn mirror(&self, world: &Rc<World>, pause_ms: u64) {
        if self.is_mirroring.replace(true) {
            return;
        }
        let (life, world) = (self.life.get(), Rc::clone(world));
        world.clock.clone().spawn(PLATFORM, async move {
            world.clock.sleep(pause_ms).await;
            let office = &world.office;
            while office.life.get() == life && !office.is_mirrored() {
                let ledger = office.ledger.borrow().clone();
                let number = ledger.number();
                let written = write(&world, ledger).await;
                if office.life.get() != life {
                    return;
                }
                if written {
                    office.has_mirrored(&world, number);
                    world.clock.sleep(1_000).await;
                } else {
                    // It may arrive yet, and must not come after a newer one.
                    world.clock.sleep(LANDED_MS).await;
                }
            }
            if office.life.get() == life {
                office.is_mirroring.set(false);
            }
        });
    }

    fn has_mirrored(&self, world: &Rc<World>, number: u64) {
        world.tell(|| format!("mirrored up to {number}"));
        self.mirrored.set(number);
        let mut purges = self.purges.borrow_mut();
        for purge in purges.iter_mut().filter(|purge| purge.number <= number) {
            purge.mirrored_ms.get_or_insert(world.now_ms());
        }
    }
}

/// One write of the mirror; whether it is known to have worked.
async fn write(world: &Rc<World>, ledger: Ledger) -> bool {
    let text = saboteur::mirrored(world.office.sabotage.get(), &ledger.encode().unwrap());
    let (dc, writing) = (world.dice.index(world.shelves.len()), Rc::clone(world));
    let trip = Trip::draw(world, world.climate().kv);
    let written = trip.write(world, WRITE_TIMEOUT_MS, move || {
        let value = Value {
            metadata: String::new(),
            bytes: text.into_bytes().into(),
            until_ms: u64::MAX,
            is_whole: true,
        };
        writing.kv.commit(&writing, dc, MIRROR_KEY, Some(value))
    });
    written.await.is_ok()
}

/// Empties the edge of what a purge is aimed at, where that works: it may only ever help.
fn empty_zone(world: &Rc<World>, targets: Vec<Target>) {
    if world.office.zone.get() == 0 {
        return;
    }
    let emptying = Rc::clone(world);
    world.clock.spawn(PLATFORM, async move {
        let world = emptying;
        for shelf in &world.shelves {
            world.clock.sleep(world.dice.below(10_000)).await;
            if world.dice.chance(world.office.zone.get()) {
                shelf.purge(|variant| targets.iter().any(|target| bears(target, variant, HOST)));
            }
        }
    });
}

/// A ledger with so many purges of something else that the next dozen are too many.
fn full() -> &'static Ledger {
    static FULL: OnceLock<Ledger> = OnceLock::new();
    FULL.get_or_init(|| {
        let mut ledger = Ledger::default();
        for index in 0..LEDGER_TARGETS_MAX - 8 {
            ledger.record(Mode::Hard, &[elsewhere(index)]);
        }
        ledger
    })
}

/// A target that nothing here carries.
pub(crate) fn elsewhere(index: usize) -> Target {
    Target::Path(format!("elsewhere/{index}.mp4"))
}
